package org.litestream4j.spring.notification;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import org.litestream4j.spring.LitestreamSettingException;

/** A URL that receives requests. Its path and its parameters may be secret, and never appear in a text. Thread-safe. */
final class HttpTarget {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

    private static final int FIRST_FAILURE = 300;

    private final HttpClient client;
    private final URI uri;

    private HttpTarget(HttpClient client, URI uri) {
        this.client = client;
        this.uri = uri;
    }

    /** Returns a client for any number of targets. It follows no redirects. */
    static HttpClient client() {
        return HttpClient.newBuilder().connectTimeout(CONNECT_TIMEOUT).build();
    }

    /**
     * Checks a URL.
     *
     * @param setting name of the setting that contains the URL
     * @throws LitestreamSettingException if it is not a URL with the scheme http or https and a host
     */
    static HttpTarget of(HttpClient client, String setting, String url) {
        try {
            URI uri = new URI(url.strip());
            String scheme = String.valueOf(uri.getScheme());
            if ((scheme.equalsIgnoreCase("https") || scheme.equalsIgnoreCase("http"))
                    && uri.getHost() != null
                    && uri.getUserInfo() == null) {
                return new HttpTarget(client, uri);
            }
        } catch (URISyntaxException e) {
            // refused below, without the value, which may contain a secret
        }
        throw new LitestreamSettingException(
                setting + " is not a URL of a web server.",
                "Write " + setting + " as https://host/path, without a user and a password.");
    }

    /**
     * Sends a GET request.
     *
     * @throws IOException if there is no response within the timeout, or none that means success
     */
    void get(Duration timeout) throws IOException, InterruptedException {
        send(HttpRequest.newBuilder(uri).GET(), timeout);
    }

    /**
     * Sends a POST request with a JSON body.
     *
     * @throws IOException if there is no response within the timeout, or none that means success
     */
    void post(byte[] body, Map<String, String> headers, Duration timeout) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(body));
        headers.forEach(request::header);
        send(request, timeout);
    }

    private void send(HttpRequest.Builder request, Duration timeout) throws IOException, InterruptedException {
        request.header("User-Agent", "litestream4j").timeout(timeout);
        int status = client.send(request.build(), BodyHandlers.discarding()).statusCode();
        if (status >= FIRST_FAILURE) {
            throw new IOException("the server answered with HTTP status " + status);
        }
    }

    /** Returns the scheme and the host. */
    @Override
    public String toString() {
        return uri.getScheme() + "://" + uri.getHost() + (uri.getPort() < 0 ? "" : ":" + uri.getPort());
    }
}
