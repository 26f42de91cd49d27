package org.litestream4j.internal.files;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NativeLibraryTest {

    @Test
    void folderForTheLibrary_isNamed() {
        UnsatisfiedLinkError cause = new UnsatisfiedLinkError("failed to map segment");
        assertThat(NativeLibrary.failure(cause))
                .hasMessageContaining(System.getProperty("java.io.tmpdir"))
                .hasMessageContaining("org.sqlite.tmpdir")
                .hasCause(cause);
    }

    /** With --illegal-native-access=deny on a JDK 24 or later; another folder would not help. */
    @Test
    void nativeAccessThatIsDenied_namesTheOptionOfTheJvm() {
        assertThat(NativeLibrary.failure(new IllegalCallerException("Illegal native access from an unnamed module")))
                .hasMessageContaining("--enable-native-access=ALL-UNNAMED")
                .hasMessageNotContaining("tmpdir");
    }
}
