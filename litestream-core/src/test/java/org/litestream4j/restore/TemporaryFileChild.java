package org.litestream4j.restore;

import java.nio.file.Path;

/** Creates a temporary file in a folder, says its name, and waits to be killed. */
final class TemporaryFileChild {

    private TemporaryFileChild() {}

    public static void main(String[] args) throws Exception {
        System.out.println(new TemporaryFiles(Path.of(args[0]), ".app.db.restore-").create());
        System.in.read();
    }
}
