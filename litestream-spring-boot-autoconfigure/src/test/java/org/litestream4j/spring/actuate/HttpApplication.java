package org.litestream4j.spring.actuate;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** An application with a database in a folder, whose actuator is asked over HTTP. */
final class HttpApplication implements AutoCloseable {

    private static final JsonMapper JSON = JsonMapper.shared();

    private final ConfigurableApplicationContext context;
    private final HttpClient http = HttpClient.newHttpClient();

    private HttpApplication(ConfigurableApplicationContext context) {
        this.context = context;
    }

    static HttpApplication start(Path folder, String... settings) {
        List<String> arguments = new ArrayList<>(List.of(
                "--server.port=0",
                "--spring.main.banner-mode=off",
                "--spring.flyway.enabled=false",
                "--spring.liquibase.enabled=false",
                "--spring.data.jdbc.repositories.enabled=false",
                "--spring.datasource.url=jdbc:sqlite:" + folder.resolve("app.db")));
        arguments.addAll(List.of(settings));
        if (arguments.stream().noneMatch(argument -> argument.startsWith("--management.endpoints.web"))) {
            arguments.add("--management.endpoints.web.exposure.include=litestream");
        }
        if (arguments.stream().noneMatch(argument -> argument.startsWith("--litestream.replica.url="))) {
            arguments.add("--litestream.replica.url=file://" + folder.resolve("replica"));
        }
        return new HttpApplication(
                new SpringApplicationBuilder(Application.class).run(arguments.toArray(String[]::new)));
    }

    JdbcClient jdbc() {
        return context.getBean(JdbcClient.class);
    }

    <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    Answer get(String path) throws Exception {
        return send(request(path));
    }

    Answer post(String path, String body) throws Exception {
        return send(request(path).header("Content-Type", "application/json").POST(BodyPublishers.ofString(body)));
    }

    Answer delete(String path) throws Exception {
        return send(request(path).DELETE());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://localhost:"
                + context.getEnvironment().getProperty("local.server.port") + "/actuator/litestream/" + path));
    }

    private Answer send(HttpRequest.Builder request) throws Exception {
        HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
        boolean json = !response.body().isEmpty() && !response.body().startsWith("<"); // else the server's own page
        String body = json ? response.body() : "null";
        return new Answer(response.statusCode(), JSON.readTree(body));
    }

    @Override
    public void close() {
        context.close();
    }

    record Answer(int status, JsonNode body) {
        String text(String field) {
            return body.path(field).asString();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}
}
