package org.litestream4j.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;

/**
 * Detached Ed25519 signatures of report files: 64 bytes in a file beside the report. OpenSSL reads and writes the same
 * keys and signatures.
 */
final class Signing {

    private static final String ALGORITHM = "Ed25519";

    private static final int SIGNATURE_SIZE = 64;

    private Signing() {}

    /** Returns the path of the signature of a report. */
    static Path signatureOf(Path report) {
        return report.resolveSibling(report.getFileName() + ".sig");
    }

    /** @throws UsageException if the file is not a private key */
    static PrivateKey privateKey(Path file) throws IOException {
        byte[] der = der(file, "PRIVATE KEY");
        try {
            return KeyFactory.getInstance(ALGORITHM).generatePrivate(new PKCS8EncodedKeySpec(der));
        } catch (GeneralSecurityException e) {
            throw noKey(file, "private", "openssl genpkey -algorithm ed25519 -out " + file);
        }
    }

    /** @throws UsageException if the file is not a public key */
    static PublicKey publicKey(Path file) throws IOException {
        byte[] der = der(file, "PUBLIC KEY");
        try {
            return KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(der));
        } catch (GeneralSecurityException e) {
            throw noKey(file, "public", "openssl pkey -in KEY -pubout -out " + file);
        }
    }

    private static UsageException noKey(Path file, String kind, String command) {
        return new UsageException(
                file + " is not an Ed25519 " + kind + " key in PEM format; create one with: " + command);
    }

    private static byte[] der(Path file, String type) throws IOException {
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        String begin = "-----BEGIN " + type + "-----";
        int from = text.indexOf(begin);
        int to = text.indexOf("-----END " + type + "-----");
        if (from < 0 || to < from) {
            throw new UsageException(file + " contains no \"" + begin + "\"");
        }
        try {
            return Base64.getMimeDecoder().decode(text.substring(from + begin.length(), to));
        } catch (IllegalArgumentException e) {
            throw new UsageException(file + " is not a valid PEM file");
        }
    }

    static byte[] sign(byte[] content, PrivateKey key) {
        try {
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initSign(key);
            signature.update(content);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot sign with Ed25519: " + e.getMessage(), e);
        }
    }

    /** Returns whether a signature belongs to the content and the key. */
    static boolean isValid(byte[] content, byte[] signed, PublicKey key) {
        if (signed.length != SIGNATURE_SIZE) {
            return false;
        }
        try {
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initVerify(key);
            signature.update(content);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }
}
