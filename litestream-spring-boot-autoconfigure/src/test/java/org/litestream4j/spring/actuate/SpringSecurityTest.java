package org.litestream4j.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.security.autoconfigure.actuate.web.servlet.EndpointRequest;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.web.SecurityFilterChain;

/** What docs/security.md says of an application with Spring Security. */
class SpringSecurityTest {

    private static final int OK = 200;
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;

    @TempDir
    Path folder;

    @Test
    void defaultChain_refusesPostsWithoutATokenAgainstForgery() throws Exception {
        try (ConfigurableApplicationContext context = start(Application.class)) {
            assertThat(post(context, false)).isIn(UNAUTHORIZED, FORBIDDEN);
            assertThat(post(context, true))
                    .isIn(UNAUTHORIZED, FORBIDDEN); // the page that tells the error needs a login, too
        }
    }

    @Test
    void documentedChain_letsAnOperatorPost() throws Exception {
        try (ConfigurableApplicationContext context = start(Documented.class)) {
            assertThat(post(context, false)).isEqualTo(UNAUTHORIZED);
            assertThat(post(context, true)).isEqualTo(OK);
        }
    }

    private ConfigurableApplicationContext start(Class<?> application) {
        return new SpringApplicationBuilder(application)
                .run(
                        "--spring.autoconfigure.exclude=",
                        "--server.port=0",
                        "--spring.main.banner-mode=off",
                        "--spring.flyway.enabled=false",
                        "--spring.liquibase.enabled=false",
                        "--spring.data.jdbc.repositories.enabled=false",
                        "--spring.security.user.name=operator",
                        "--spring.security.user.password=pass",
                        "--spring.security.user.roles=OPERATOR",
                        "--management.endpoints.web.exposure.include=health,litestream",
                        "--management.endpoint.litestream.access=unrestricted",
                        "--spring.datasource.url=jdbc:sqlite:" + folder.resolve("app.db"),
                        "--litestream.replica.url=file://" + folder.resolve("replica"));
    }

    private static int post(ConfigurableApplicationContext context, boolean login) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://localhost:"
                        + context.getEnvironment().getProperty("local.server.port")
                        + "/actuator/litestream/app.db/sync"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{}"));
        if (login) {
            request.header(
                    "Authorization",
                    "Basic " + Base64.getEncoder().encodeToString("operator:pass".getBytes(StandardCharsets.UTF_8)));
        }
        return HttpClient.newHttpClient()
                .send(request.build(), BodyHandlers.discarding())
                .statusCode();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Documented {

        @Bean
        SecurityFilterChain actuator(HttpSecurity http) throws Exception {
            return http.securityMatcher(EndpointRequest.toAnyEndpoint())
                    .authorizeHttpRequests(requests -> requests.requestMatchers(EndpointRequest.to("health"))
                            .permitAll()
                            .anyRequest()
                            .hasRole("OPERATOR"))
                    .httpBasic(Customizer.withDefaults())
                    .sessionManagement(sessions -> sessions.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                    .csrf(csrf -> csrf.disable())
                    .build();
        }
    }
}
