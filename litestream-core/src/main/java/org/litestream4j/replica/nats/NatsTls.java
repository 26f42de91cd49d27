package org.litestream4j.replica.nats;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaAccessException;

/**
 * Encryption of the connection. Files are in PEM format.
 *
 * @param rootCas certificate authorities trusted for the servers' certificates; empty for those trusted by the JVM
 * @param clientKey private key in PKCS#8, not encrypted
 */
record NatsTls(boolean enabled, List<Path> rootCas, @Nullable Path clientCert, @Nullable Path clientKey) {

    private static final Pattern KEY =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");

    private static final char[] NO_PASSWORD = {};

    NatsTls {
        rootCas = List.copyOf(rootCas);
    }

    /**
     * @param onRefusal receives each rejected certificate of a server
     * @throws ReplicaAccessException if a file cannot be used; names the file
     */
    SSLContext context(String replica, Consumer<CertificateException> onRefusal) throws ReplicaAccessException {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            TrustManager trust = new HostCheckingTrustManager(trust(replica), onRefusal);
            context.init(keys(replica), new TrustManager[] {trust}, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            if (e instanceof ReplicaAccessException known) {
                throw known;
            }
            throw new ReplicaAccessException(replica, "TLS cannot be set up: " + e.getMessage(), "", e);
        }
    }

    private X509ExtendedTrustManager trust(String replica) throws GeneralSecurityException, IOException {
        KeyStore store = null; // the JVM's default
        if (!rootCas.isEmpty()) {
            store = emptyStore();
            int number = 0;
            for (Path file : rootCas) {
                for (Certificate certificate : certificates(file, "root-cas", replica)) {
                    store.setCertificateEntry("ca" + number++, certificate);
                }
            }
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        for (TrustManager manager : factory.getTrustManagers()) {
            if (manager instanceof X509ExtendedTrustManager found) {
                return found;
            }
        }
        throw new GeneralSecurityException("the JVM has no X.509 trust manager");
    }

    private KeyManager @Nullable [] keys(String replica) throws GeneralSecurityException, IOException {
        if (clientCert == null || clientKey == null) {
            return null;
        }
        KeyStore store = emptyStore();
        Certificate[] chain = certificates(clientCert, "client-cert", replica).toArray(Certificate[]::new);
        store.setKeyEntry("client", privateKey(clientKey, replica), NO_PASSWORD, chain);
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, NO_PASSWORD);
        return factory.getKeyManagers();
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static Collection<? extends Certificate> certificates(Path file, String setting, String replica)
            throws ReplicaAccessException {
        try (InputStream in = Files.newInputStream(file)) {
            Collection<? extends Certificate> found =
                    CertificateFactory.getInstance("X.509").generateCertificates(in);
            if (!found.isEmpty()) {
                return found;
            }
        } catch (IOException | GeneralSecurityException e) {
            throw unusable(file, setting, "PEM certificates", replica, e);
        }
        throw unusable(file, setting, "PEM certificates", replica, null);
    }

    private static PrivateKey privateKey(Path file, String replica) throws ReplicaAccessException {
        String wanted = "a PEM private key in PKCS#8 without a password (openssl pkcs8 -topk8 -nocrypt)";
        try {
            Matcher matcher = KEY.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
            if (matcher.find()) {
                byte[] key = Base64.getMimeDecoder().decode(matcher.group(1));
                for (String algorithm : List.of("RSA", "EC", "EdDSA")) {
                    try {
                        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(key));
                    } catch (InvalidKeySpecException e) {
                        // another algorithm
                    }
                }
            }
        } catch (IOException | GeneralSecurityException e) {
            throw unusable(file, "client-key", wanted, replica, e);
        }
        throw unusable(file, "client-key", wanted, replica, null);
    }

    private static ReplicaAccessException unusable(
            Path file, String setting, String wanted, String replica, @Nullable Exception cause) {
        String shown = Redaction.file(file.toString()); // may be the content instead, also in the cause
        return new ReplicaAccessException(
                replica,
                "the setting " + setting + " names " + shown,
                "it must be readable and hold " + wanted,
                shown.equals(file.toString()) ? cause : null);
    }
}
