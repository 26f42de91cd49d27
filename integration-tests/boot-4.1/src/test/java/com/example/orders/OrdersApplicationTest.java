package com.example.orders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.test.LitestreamAssertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.litestream4j.Litestream;
import org.litestream4j.test.AutoConfigureLitestream;
import org.litestream4j.test.LostDisk;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.context.ConfigurableApplicationContext;

/** From the start to the restore. */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT)
@AutoConfigureLitestream
class OrdersApplicationTest {

    @Test
    void lostDisk_isRestored(
            @Autowired ConfigurableApplicationContext context,
            @Autowired Purchases purchases,
            @Autowired Litestream litestream)
            throws Exception {
        purchases.save(new Purchase("book"));
        assertThat(litestream.database("app.db").orElseThrow())
                .isRestorable()
                .hasRow("purchase", Map.of("item", "book"));

        try (ConfigurableApplicationContext restarted = LostDisk.simulate(context).restart()) {
            assertThat(restarted.getBean(Purchases.class).findAll())
                    .extracting(Purchase::getItem)
                    .containsExactly("book");
            assertThat(get(restarted, "/actuator/health")).contains("UP");
            assertThat(get(restarted, "/actuator/litestream")).contains("app.db");
            assertThat(get(restarted, "/actuator/sbom")).contains("litestream");
            assertThat(get(restarted, "/actuator/sbom/litestream"))
                    .contains("CycloneDX")
                    .contains("pkg:maven/org.xerial/sqlite-jdbc@");
        }
    }

    private static String get(ConfigurableApplicationContext context, String path) throws Exception {
        String port = context.getEnvironment().getProperty("local.server.port");
        var response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://localhost:" + port + path)).build(),
                        BodyHandlers.ofString());
        assertThat(response.statusCode()).as(path).isEqualTo(200);
        return response.body();
    }
}
