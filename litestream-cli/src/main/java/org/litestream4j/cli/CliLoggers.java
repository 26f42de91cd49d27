package org.litestream4j.cli;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.Logger;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/**
 * Writes the library's log to standard error: always warnings, steps with {@code --verbose}, and stack traces and logs
 * of other libraries only with {@code -Dlitestream.cli.debug=true}.
 */
public final class CliLoggers implements SLF4JServiceProvider {

    private static final boolean DEBUG = Boolean.getBoolean("litestream.cli.debug");

    private static volatile Level least = DEBUG ? Level.DEBUG : Level.WARN;

    private final Map<String, Logger> loggers = new ConcurrentHashMap<>();
    private final IMarkerFactory markers = new BasicMarkerFactory();
    private final MDCAdapter mdc = new NOPMDCAdapter();

    /** Enables the log of steps. */
    static void verbose() {
        if (!DEBUG) {
            least = Level.INFO;
        }
    }

    @Override
    public ILoggerFactory getLoggerFactory() {
        return name -> loggers.computeIfAbsent(name, Line::new);
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return markers;
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return mdc;
    }

    @Override
    public String getRequestedApiVersion() {
        return "2.0.99";
    }

    @Override
    public void initialize() {
        // nothing to do
    }

    private static final class Line extends LegacyAbstractLogger {
        private static final long serialVersionUID = 1L;

        private final boolean ours;

        Line(String name) {
            this.name = name;
            ours = name.startsWith("org.litestream4j");
        }

        private boolean isEnabled(Level level) {
            return (ours || DEBUG) && level.toInt() >= least.toInt();
        }

        @Override
        public boolean isTraceEnabled() {
            return isEnabled(Level.TRACE);
        }

        @Override
        public boolean isDebugEnabled() {
            return isEnabled(Level.DEBUG);
        }

        @Override
        public boolean isInfoEnabled() {
            return isEnabled(Level.INFO);
        }

        @Override
        public boolean isWarnEnabled() {
            return isEnabled(Level.WARN);
        }

        @Override
        public boolean isErrorEnabled() {
            return isEnabled(Level.ERROR);
        }

        @Override
        protected @Nullable String getFullyQualifiedCallerName() {
            return null;
        }

        @Override
        protected void handleNormalizedLoggingCall(
                Level level,
                @Nullable Marker marker,
                String pattern,
                Object @Nullable [] arguments,
                @Nullable Throwable e) {
            String text = MessageFormatter.basicArrayFormat(pattern, arguments);
            if (e != null && e.getMessage() != null && !text.contains(e.getMessage())) {
                text += ": " + ErrorText.of(e);
            }
            String kind = level.toInt() >= Level.WARN.toInt() ? "warning: " : level == Level.INFO ? "" : "debug: ";
            System.err.println(kind + ErrorText.oneLine(text));
            if (e != null && DEBUG) {
                e.printStackTrace();
            }
        }
    }
}
