package dev.levee.spring.web.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.levee.core.CallContext;
import dev.levee.core.Policy;
import dev.levee.core.consistency.Session;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Retry;
import dev.levee.spring.web.InboundFilter;
import dev.levee.spring.web.InboundWebFilter;
import jakarta.servlet.DispatcherType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.EnumSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.boot.web.servlet.ServletContextInitializerBeans;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Scope;
import org.springframework.core.Ordered;
import org.springframework.http.client.SimpleClientHttpRequestFactory;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;

class ClientGuardAutoConfigurationTest {
    private final AtomicInteger refused = new AtomicInteger();
    private final HttpServer bad = server(500, "no");
    private final HttpServer good = server(200, "yes");

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(ClientGuardAutoConfiguration.class, InboundAutoConfiguration.class))
            .withUserConfiguration(Application.class);

    @AfterEach
    void stop() {
        bad.stop(0);
        good.stop(0);
    }

    private HttpServer server(int status, String body) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
            server.createContext("/", exchange -> {
                try (exchange) {
                    if (status != 200) {
                        refused.incrementAndGet();
                    }
                    exchange.sendResponseHeaders(status, body.length());
                    exchange.getResponseBody().write(body.getBytes(java.nio.charset.StandardCharsets.UTF_8));
                }
            });
            server.start();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String endpoints() {
        return "levee.http.clients.catalog.endpoints=" + uri(bad) + "," + uri(good);
    }

    private static String uri(HttpServer server) {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Has its builders as Boot has them. */
    @Configuration(proxyBeanMethods = false)
    static class Application {
        @Bean
        @Scope("prototype")
        RestClient.Builder restClientBuilder() {
            return RestClient.builder().requestFactory(new SimpleClientHttpRequestFactory());
        }

        @Bean
        @Scope("prototype")
        WebClient.Builder webClientBuilder() {
            return WebClient.builder();
        }

        @Bean
        RestTemplate restTemplate() {
            return new RestTemplate(new SimpleClientHttpRequestFactory());
        }

        @Bean
        Policy patient() {
            return Retry.of("patient", c -> c.maxAttempts(2).backoff(Backoff.fixed(Duration.ZERO)));
        }
    }

    @Test
    void one_line_guards_every_client_of_the_application() {
        runner.withPropertyValues(endpoints(), "levee.http.clients.catalog.pipeline=patient")
                .run(context -> {
                    AtomicInteger inner = new AtomicInteger();
                    RestClient client = context.getBean(RestClient.Builder.class)
                            .baseUrl("http://catalog")
                            .requestInterceptor((request, body, execution) -> {
                                inner.incrementAndGet();
                                return execution.execute(request, body);
                            })
                            .clone()
                            .build();
                    RestTemplate template = context.getBean(RestTemplate.class);
                    WebClient web = context.getBean(WebClient.Builder.class)
                            .baseUrl("http://catalog")
                            .build();
                    for (int i = 0; i < 4; i++) {
                        assertThat(client.get().uri("/p").retrieve().body(String.class))
                                .isEqualTo("yes");
                        assertThat(template.getForObject("http://catalog/p", String.class))
                                .isEqualTo("yes");
                        assertThat(web.get()
                                        .uri("/p")
                                        .retrieve()
                                        .bodyToMono(String.class)
                                        .block())
                                .isEqualTo("yes");
                    }
                    assertThat(inner).as("interceptors stand around the call").hasValue(4);
                    assertThat(refused.get()).isPositive();
                    assertThat(context.getBean(ClientGuards.class)
                                    .guard("catalog")
                                    .name())
                            .isEqualTo("catalog");
                });
    }

    @Test
    void without_a_pipeline_a_client_has_a_retry_and_breakers() {
        runner.withPropertyValues(endpoints()).run(context -> {
            RestClient client = context.getBean(RestClient.Builder.class).build();
            for (int i = 0; i < 4; i++) {
                assertThat(client.get().uri("http://catalog/p").retrieve().body(String.class))
                        .isEqualTo("yes");
            }
        });
    }

    @Test
    void mistakes_fail_the_start_and_name_the_place() {
        fails("levee.http.clients.catalog.pipeline", endpoints(), "levee.http.clients.catalog.pipeline=nothing");
        fails("levee.http.clients.catalog.pipeline", endpoints(), "levee.http.clients.catalog.pipeline=restTemplate");
        fails("levee.http.clients.catalog.endpoints", "levee.http.clients.catalog.pipeline=patient");
        fails("levee.http.clients.catalog.endpoints", "levee.http.clients.catalog.endpoints=localhost");
        fails("levee.http.clients.catalog.endpoints", "levee.http.clients.catalog.endpoints=ftp://host");
        fails("levee.http.clients.catalog.timeout", endpoints(), "levee.http.clients.catalog.timeout=5s");
        fails("levee.http.server", "levee.http.server.trust-everything=true");
        fails("levee.http.client.catalog", "levee.http.client.catalog.endpoints=http://10.0.0.1");
        fails("levee.http.server.max-time = \"5\": must be a duration with a unit", "levee.http.server.max-time=5");
        fails("levee.http.server.max-time = \"-5s\": ", "levee.http.server.max-time=-5s");
        fails("levee.http.server.max-time = \"soon\": ", "levee.http.server.max-time=soon");
        fails("levee.http.server.correlation-header = \"a b\": ", "levee.http.server.correlation-header=a b");
        fails("levee.http.server.trust-correlation = \"true\": needs", "levee.http.server.trust-correlation=true");
    }

    private void fails(String place, String... properties) {
        new WebApplicationContextRunner()
                .withConfiguration(
                        AutoConfigurations.of(ClientGuardAutoConfiguration.class, InboundAutoConfiguration.class))
                .withUserConfiguration(Application.class)
                .withPropertyValues(properties)
                .run(context -> assertThat(context).hasFailed().getFailure().satisfies(failure -> {
                    StringBuilder messages = new StringBuilder();
                    for (Throwable at = failure; at != null; at = at.getCause()) {
                        messages.append(at.getMessage()).append('\n');
                    }
                    assertThat(messages.toString()).contains(place).doesNotContain("secret");
                }));
    }

    @Test
    void secrets_in_endpoints_are_not_in_the_message() {
        fails(
                "levee.http.clients.catalog.endpoints",
                "levee.http.clients.catalog.endpoints=http://user:secret@10.0.0.1");
    }

    @Test
    void the_filter_is_there_for_the_server_that_there_is() {
        new WebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(InboundAutoConfiguration.class))
                .withPropertyValues("levee.http.server.trust-deadline=true", "levee.http.server.max-time=5s")
                .run(context -> assertThat(context).hasSingleBean(InboundFilter.class));
        new WebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(InboundAutoConfiguration.class))
                .withPropertyValues("levee.http.server.session=true")
                .run(context -> {
                    AtomicReference<Session> session = new AtomicReference<>();
                    context.getBean(InboundFilter.class)
                            .doFilter(
                                    new MockHttpServletRequest("GET", "/"),
                                    new MockHttpServletResponse(),
                                    (request, response) ->
                                            session.set(CallContext.current().session()));
                    assertThat(session.get()).isNotNull();
                });
        new ReactiveWebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(InboundAutoConfiguration.class))
                .run(context -> assertThat(context).hasSingleBean(InboundWebFilter.class));
        new WebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(InboundAutoConfiguration.class))
                .withPropertyValues("levee.http.server.enabled=false")
                .run(context -> assertThat(context).doesNotHaveBean(InboundFilter.class));
        runner.run(context -> assertThat(context).doesNotHaveBean(InboundFilter.class));
    }

    @Test
    void the_filter_sees_the_end_of_asynchronous_requests_and_stands_far_out() {
        new WebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(InboundAutoConfiguration.class))
                .run(context -> assertThat(new ServletContextInitializerBeans(context.getBeanFactory()))
                        .filteredOn(FilterRegistrationBean.class::isInstance)
                        .map(each -> (FilterRegistrationBean<?>) each)
                        .singleElement()
                        .satisfies(each -> {
                            assertThat((Object) each.getFilter()).isInstanceOf(InboundFilter.class);
                            assertThat(each.determineDispatcherTypes())
                                    .isEqualTo(EnumSet.of(DispatcherType.REQUEST, DispatcherType.ASYNC));
                            assertThat(each.getOrder()).isEqualTo(Ordered.HIGHEST_PRECEDENCE + 100);
                        }));
    }

    @Test
    void the_filter_is_switched_off_by_every_word_for_no() {
        for (String off : new String[] {"false", "off", "no", "FALSE"}) {
            new WebApplicationContextRunner()
                    .withConfiguration(AutoConfigurations.of(InboundAutoConfiguration.class))
                    .withPropertyValues("levee.http.server.enabled=" + off)
                    .run(context -> assertThat(context).as(off).doesNotHaveBean(InboundFilter.class));
        }
        new WebApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(InboundAutoConfiguration.class))
                .withPropertyValues("levee.http.server.enabled=yes")
                .run(context -> assertThat(context).hasSingleBean(InboundFilter.class));
        fails("levee.http.server.enabled must be true or false", "levee.http.server.enabled=perhaps");
    }
}
