package org.litestream4j.spring.drill;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.litestream4j.spring.DrillProperties;
import org.litestream4j.spring.LitestreamSettingException;

/** Checks the settings of drills at startup. */
final class DrillSettings {

    private DrillSettings() {}

    /** @throws LitestreamSettingException if a setting is out of range; names the setting */
    static void check(DrillProperties settings) {
        if (settings.load() < 1 || settings.load() > 100) {
            throw outOfRange("load", settings.load(), "Write a number from 1 to 100.");
        }
        if (settings.timeout().isNegative() || settings.timeout().isZero()) {
            throw outOfRange("timeout", settings.timeout(), "Write a positive duration.");
        }
        if (settings.minFree().isNegative()) {
            throw outOfRange("min-free", settings.minFree(), "Write 0 or more.");
        }
        if (settings.inconclusiveLimit() < 1) {
            throw outOfRange("inconclusive-limit", settings.inconclusiveLimit(), "Write 1 or more.");
        }
        if (settings.directory() != null && !isFolder(settings.directory())) {
            throw new LitestreamSettingException(
                    "litestream.drill.directory = \"" + settings.directory() + "\" is not a folder.",
                    "Name a folder (it is created when it is needed), or leave it out.");
        }
    }

    private static boolean isFolder(String directory) {
        try {
            return !directory.isBlank() && !Files.isRegularFile(Path.of(directory));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static LitestreamSettingException outOfRange(String setting, Object value, String remedy) {
        return new LitestreamSettingException(
                "litestream.drill." + setting + " = " + value + " is out of range.", remedy);
    }
}
