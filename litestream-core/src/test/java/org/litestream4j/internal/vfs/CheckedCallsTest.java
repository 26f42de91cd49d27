package org.litestream4j.internal.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.litestream4j.internal.vfs.VfsFixture.open;
import static org.litestream4j.internal.vfs.VfsFixture.rows;

import com.sun.jna.Function;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.litestream4j.internal.files.SqliteCode;
import org.litestream4j.testing.ChildProcess;
import org.sqlite.SQLiteConnection;

/**
 * A callback that could not run must never read as success. Each experiment has its control: without the check, the same
 * thing gives wrong answers.
 */
class CheckedCallsTest {

    @TempDir
    Path folder;

    @Test
    void thisPlatform_hasChecks() {
        assumeTrue(MachineCode.ofThisMachine() != null, "no instructions for this platform");
        assertThat(CheckedCalls.create().areChecked()).isTrue();
    }

    @Test
    void callbackThatThrows_isAnErrorOnlyIfChecked() {
        assumeTrue(MachineCode.ofThisMachine() != null, "no instructions for this platform");
        NativeBridge.P throwing = a -> {
            throw new IllegalStateException("not caught on purpose");
        };
        CheckedCalls checked = CheckedCalls.create();
        long function = checked.function(throwing);
        checked.finish();
        long unchecked = CheckedCalls.unchecked().function(throwing);
        Native.setCallbackExceptionHandler((callback, e) -> {});
        try {
            assertThat(call(function)).isEqualTo(SqliteCode.IOERR_READ);
            assertThat(call(unchecked)).isEqualTo(SqliteCode.OK);
        } finally {
            Native.setCallbackExceptionHandler(null);
        }
    }

    private static int call(long function) {
        return Function.getFunction(new Pointer(function)).invokeInt(new Object[] {0L});
    }

    @ParameterizedTest
    @EnumSource
    void instructions_fitTheirSlots(MachineCode machine) {
        var code = MachineCode.buffer(1024);
        machine.checked(code, -1, -1);
        assertThat(code.position()).isLessThanOrEqualTo(64);
        code.clear();
        machine.reporting(code, -1, -1);
        assertThat(code.position()).isLessThanOrEqualTo(64);
    }

    @Test
    void platformsThatWereNotTried_haveNoInstructions() {
        assertThat(MachineCode.of("Linux", "amd64")).isEqualTo(MachineCode.AMD64);
        assertThat(MachineCode.of("Linux", "aarch64")).isEqualTo(MachineCode.AARCH64);
        assertThat(MachineCode.of("Linux", "riscv64")).isNull();
        assertThat(MachineCode.of("Windows 11", "amd64")).isNull();
        assertThat(MachineCode.of("Mac OS X", "aarch64")).isNull();
    }

    @Test
    void exhaustedStack_neverGivesWrongRows() throws Exception {
        assumeTrue(MachineCode.ofThisMachine() != null, "no instructions for this platform");
        assertThat(run("checked", 12)).contains("ended").contains("IOERR").contains(", 0 wrong");
    }

    @Test
    void exhaustedStack_neverGivesWrongRowsIfProbed() throws Exception {
        assertThat(run("probed", 1)).contains("ended").contains(", 0 wrong");
    }

    @Test
    void exhaustedStack_misleadsSqliteIfNeitherCheckedNorProbed() throws Exception {
        String output = run("neither", 100);
        boolean crashed = !output.contains("ended"); // on what was in its buffers
        assertThat(crashed || !output.contains(", 0 wrong")).as(output).isTrue();
    }

    private String run(String mode, int rounds) throws Exception {
        Path output = folder.resolve(mode + ".out");
        try (ChildProcess child = ChildProcess.start(
                output,
                Map.of(),
                List.of("-XX:+SuppressFatalErrorMessage", "-XX:TieredStopAtLevel=4", "-Xmx256m"),
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                StackChild.class,
                mode,
                folder.resolve(mode + ".db"),
                rounds)) {
            assertThat(child.awaitExit(120)).isTrue();
            return child.output();
        }
    }

    @Test
    void uncheckedVfs_refusesReadsPastTheGuard() throws Exception {
        ReplicaVfs vfs = VfsFixture.vfs("litestream-unchecked", false, new PageOne());
        States states = new States();
        try (Connection primary = VfsFixture.primary(folder.resolve("b.db"), 1)) {
            states.add(primary);
        }
        try (Connection guarded = new ReplicaDataSource(vfs, "unchecked", states.database()).getConnection()) {
            assertThat(rows(guarded, "SELECT count(*) FROM t")).isEqualTo("1");
            assertThatThrownBy(() -> rows(guarded.unwrap(SQLiteConnection.class), "SELECT count(*) FROM t"))
                    .hasMessageContaining("IOERR");
            assertThat(LastFailure.take()).hasMessageContaining("only through ReadReplica.dataSource()");
        }
    }

    @Test
    void nestedGuards_endWithTheOutermost() {
        StackProbe.beginGuarding();
        StackProbe.beginGuarding();
        StackProbe.endGuarding();
        assertThat(StackProbe.isGuarding()).isTrue();
        StackProbe.endGuarding();
        assertThat(StackProbe.isGuarding()).isFalse();
    }

    @Test
    void uncheckedVfs_refusesConnectionsThatAreNotGuarded() throws Exception {
        ReplicaVfs vfs = VfsFixture.vfs("litestream-unchecked", false, new PageOne());
        States states = new States();
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), 1)) {
            states.add(primary);
        }
        String url = VfsFixture.register(vfs, "litestream-unchecked", states.database());
        assertThatThrownBy(() -> open(url)).isInstanceOf(SQLException.class).hasMessageContaining("CANTOPEN");
        assertThat(LastFailure.take()).hasMessageContaining("only through ReadReplica.dataSource()");
    }
}
