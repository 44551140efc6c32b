package dev.levee.example.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** The shop, started whole. */
class ShopTest {
    private final HttpClient client = HttpClient.newHttpClient();
    private ConfigurableApplicationContext shop;

    @BeforeEach
    void start() {
        shop = new SpringApplicationBuilder(ShopApplication.class)
                .run("--server.port=0", "--spring.main.banner-mode=off");
    }

    @AfterEach
    void stop() {
        shop.close();
    }

    private String ask(String method, String path) throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + shop.getEnvironment().getProperty("local.server.port") + path);
        HttpRequest request = HttpRequest.newBuilder(uri)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    @Test
    void a_warehouse_that_is_down_is_asked_no_more_and_everything_is_seen() throws Exception {
        assertThat(ask("GET", "/products/lamp")).startsWith("lamp: ").endsWith(" in stock");

        ask("POST", "/warehouse/down");
        for (int i = 0; i < 20; i++) {
            assertThat(ask("GET", "/products/lamp")).isEqualTo("lamp: ask again later");
        }
        int asked = shop.getBean(Warehouse.class).asked();
        assertThat(ask("GET", "/products/lamp")).isEqualTo("lamp: ask again later");
        assertThat(shop.getBean(Warehouse.class).asked()).isEqualTo(asked); // the breaker is open

        assertThat(ask("GET", "/actuator/health")).contains("\"UP\"");
        assertThat(ask("GET", "/actuator/levee")).contains("inventory-breaker").contains("OPEN");
        assertThat(ask("GET", "/actuator/prometheus"))
                .contains("levee_breaker_state{name=\"inventory-breaker\",state=\"open\"} 1.0")
                .contains("levee_meter_calls_total{ending=\"success\",name=\"inventory-meter\"} 1.0")
                .contains("levee_meter_duration_seconds_bucket");
    }
}
