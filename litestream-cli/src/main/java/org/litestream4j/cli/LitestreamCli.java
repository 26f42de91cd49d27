package org.litestream4j.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.litestream4j.internal.files.NonAsciiNames;
import org.litestream4j.replica.Redaction;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The main class. Exit codes: 0 success, 1 failure, 2 invalid usage, 3
 * inconclusive drill. Results are written to standard output, everything
 * else to standard error; an error is one line, and with {@code --json} a JSON object on standard output, too.
 */
@Command(
        name = "litestream-cli",
        description = "Restores, queries, inspects and maintains replicas of SQLite databases.",
        mixinStandardHelpOptions = true,
        versionProvider = LitestreamCli.Version.class,
        subcommands = {
            RestoreCommand.class,
            ReplicateCommand.class,
            StatusCommand.class,
            QueryCommand.class,
            MarkCommand.class,
            CopyCommand.class,
            LtxCommand.class,
            ValidateCommand.class,
            DrillCommand.class,
            ResetCommand.class,
            VersionCommand.class,
            CommandLine.HelpCommand.class,
            AutoComplete.GenerateCompletion.class
        })
public final class LitestreamCli implements Runnable {

    private static final int FAILED = 1;

    private static final int WRONG_USAGE = 2;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    /** Runs a command and ends the process with its exit code. */
    public static void main(String[] args) {
        CommandLine commandLine = commandLine().setOut(CommandOutput.of(System.out, ProgressLine.isTerminal()));
        System.exit(execute(commandLine, args));
    }

    /** Runs a command. A result that cannot be written is a failure. */
    static int execute(CommandLine commandLine, String... args) {
        int code = commandLine.execute(args);
        if (commandLine.getOut().checkError() && code == 0) {
            PrintWriter err = commandLine.getErr();
            err.println("error: " + CommandOutput.UNWRITABLE);
            err.flush();
            return FAILED;
        }
        return code;
    }

    static CommandLine commandLine() {
        return new CommandLine(new LitestreamCli())
                .registerConverter(Path.class, LitestreamCli::path)
                .registerConverter(Duration.class, new Durations())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .setParameterExceptionHandler((e, args) -> usageError(
                        e.getCommandLine(), List.of(args), withoutSecrets(problem(e), List.of(args)) + suggestions(e)))
                .setExecutionExceptionHandler((e, commandLine, result) -> e instanceof UsageException
                        ? usageError(
                                commandLine,
                                result.originalArgs(),
                                withoutUrls(String.valueOf(e.getMessage()), result.originalArgs()))
                        : error(commandLine, result.originalArgs(), FAILED, ErrorText.of(e)));
    }

    private static Path path(String name) {
        if (name.isBlank()) { // probably a variable without a value; Path.of would be the working directory
            throw new TypeConversionException("the path of a file is expected, but the argument is empty");
        }
        if (name.matches("[A-Za-z][A-Za-z0-9+.-]*://.*")) { // may contain a password
            throw new TypeConversionException("a URL is given where the path of a file is expected");
        }
        try {
            NonAsciiNames.requireKnownCharacters(name);
            return NonAsciiNames.path(name);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException("'" + name + "' is no path here: " + e.getMessage());
        }
    }

    /** Hides the parts of misplaced arguments that may be secrets; Picocli repeats these arguments. */
    private static String withoutSecrets(String message, List<String> args) {
        String text = message;
        String before = "";
        for (String arg : args) {
            int equals = arg.indexOf('=');
            if (before.equals("--setting") || arg.startsWith("--setting=")) {
                text = hidden(text, arg.startsWith("--setting=") ? arg.substring(equals + 1) : arg, "…");
            } else if (arg.contains("://")) {
                text = hidden(text, arg, Redaction.url(arg));
            } else if (equals >= 0) {
                text = hidden(text, arg.substring(equals + 1), "…");
            }
            before = arg;
        }
        return text;
    }

    /** Hides the parts of URLs that may be secrets, where a URL was given as another value. */
    private static String withoutUrls(String message, List<String> args) {
        String text = message;
        for (String arg : args) {
            int scheme = arg.indexOf("://");
            if (scheme >= 0) {
                String url = arg.substring(arg.lastIndexOf('=', scheme) + 1);
                text = hidden(text, url, Redaction.url(url));
            }
        }
        return text;
    }

    private static String hidden(String text, String secret, String shown) {
        return secret.isEmpty() ? text : text.replace(secret, shown);
    }

    /** Returns the problem; of unmatched arguments, only the first, because the others may belong to it. */
    private static String problem(ParameterException e) {
        if (e instanceof UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().isEmpty()) {
            String first = unmatched.getUnmatched().get(0);
            return (first.startsWith("-") ? "there is no option '" : "unexpected argument '") + first + "'";
        }
        return String.valueOf(e.getMessage());
    }

    private static String suggestions(ParameterException e) {
        List<String> suggestions =
                e instanceof UnmatchedArgumentException unmatched ? unmatched.getSuggestions() : List.of();
        return suggestions.isEmpty() ? "" : "; did you mean " + String.join(", ", suggestions) + "?";
    }

    private static int usageError(CommandLine commandLine, List<String> args, String problem) {
        String name = commandLine.getCommandSpec().qualifiedName();
        return error(commandLine, args, WRONG_USAGE, problem + "; see " + name + " --help");
    }

    private static int error(CommandLine commandLine, List<String> args, int code, String problem) {
        String line = ErrorText.oneLine(problem);
        if (args.contains("--json")) {
            PrintWriter out = commandLine.getOut();
            out.println(Json.writeLine(new Json.Failure(line, code)));
            out.flush();
        }
        PrintWriter err = commandLine.getErr();
        err.println("error: " + line);
        err.flush();
        return code;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "no command given");
    }

    /** Provides the version in the jar's manifest. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = LitestreamCli.class.getPackage().getImplementationVersion();
            return new String[] {"litestream-cli " + (version == null ? "(unpacked)" : version)};
        }
    }
}
