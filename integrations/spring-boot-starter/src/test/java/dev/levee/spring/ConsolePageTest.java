package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.console.Console;
import dev.levee.core.Measured;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.Bulkhead;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.LazyInitializationBeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/** The live page by configuration. */
class ConsolePageTest {
    private static final String TOKEN = "0123456789abcdef";

    private static final ApplicationContextRunner APP = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(LeveeConsoleAutoConfiguration.class, LeveeAutoConfiguration.class))
            .withPropertyValues("levee.console.enabled=true", "levee.console.port=0");

    private static String snapshot(AssertableApplicationContext context) throws Exception {
        return answer(context, "api/snapshot");
    }

    private static String answer(AssertableApplicationContext context, String path) throws Exception {
        URI address = context.getBean(Console.class).address();
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(address.resolve(path)).build(), BodyHandlers.ofString())
                .body();
    }

    private static String failure(AssertableApplicationContext context) {
        assertThat(context).hasFailed();
        Throwable failure = context.getStartupFailure();
        while (!(failure instanceof LeveeConfigurationException) && failure.getCause() != null) {
            failure = failure.getCause();
        }
        assertThat(failure).isInstanceOf(LeveeConfigurationException.class);
        return failure.getMessage();
    }

    private static void fails(String property, String reason, String... properties) {
        APP.withPropertyValues(properties)
                .run(context -> assertThat(failure(context)).contains(property).contains(reason));
    }

    @Test
    void there_is_no_page_unless_it_is_asked_for() {
        new ApplicationContextRunner()
                .withConfiguration(
                        AutoConfigurations.of(LeveeConsoleAutoConfiguration.class, LeveeAutoConfiguration.class))
                .withPropertyValues("levee.policies.a-breaker.open-for=10s", "levee.console.port=0")
                .run(context -> assertThat(context).doesNotHaveBean(Console.class));
        APP.withPropertyValues("levee.console.enabled=off")
                .run(context -> assertThat(context).doesNotHaveBean(Console.class));
    }

    @Test
    void the_page_is_on_loopback_without_buttons_and_has_the_name_of_the_application() {
        APP.withPropertyValues("levee.policies.a-breaker.open-for=10s", "spring.application.name=shop")
                .run(context -> {
                    assertThat(context.getBean(Console.class).address().getHost())
                            .isEqualTo("127.0.0.1");
                    assertThat(snapshot(context)).contains("\"title\":\"shop\"", "\"buttons\":false");
                    assertThat(answer(context, "")).contains("<html");
                });
        APP.withPropertyValues("spring.application.name=shop", "levee.console.title=Shop, front")
                .run(context -> assertThat(snapshot(context)).contains("\"title\":\"Shop, front\""));
    }

    @Test
    void pipelines_and_policies_that_stand_in_none_have_cards_and_their_events_are_listed() {
        APP.withPropertyValues(
                        "levee.pipelines.payments=retry,breaker",
                        "levee.policies.payments-breaker.open-for=10s",
                        "levee.policies.lone-bulkhead.max-concurrent=3",
                        "levee.policies.tenant-bulkhead.max-concurrent=3",
                        "levee.policies.tenant-bulkhead.keys.max=10",
                        "levee.pipelines.tenants=payments-breaker,tenant-bulkhead",
                        "levee.policies.other-bulkhead.max-concurrent=4",
                        "levee.policies.other-bulkhead.keys.max=10")
                .run(context -> {
                    LeveePolicies policies = context.getBean(LeveePolicies.class);
                    policies.policy("tenants", "acme").call(() -> "made");
                    context.getBean("payments-breaker", CircuitBreaker.class).forceOpen();

                    assertThat(snapshot(context))
                            .contains(
                                    "\"name\":\"payments\",\"trouble\":3",
                                    "\"name\":\"tenants\",\"trouble\":3",
                                    "\"name\":\"lone-bulkhead\",\"trouble\":0",
                                    "\"name\":\"other-bulkhead\",\"trouble\":0",
                                    "\"name\":\"tenant-bulkhead-acme\"",
                                    "forced open\"}")
                            .doesNotContain("\"id\":\"c5\"");
                });
    }

    @Test
    void beans_that_have_figures_have_cards_and_those_of_a_pipeline_one() {
        APP.withPropertyValues("levee.pipelines.payments=breaker,seats")
                .withBean("seats", Bulkhead.class, () -> Bulkhead.of("seats", 3))
                .withBean("figures", Measured.class, () -> sink -> sink.value("x", "thing.size", 3))
                .run(context -> assertThat(snapshot(context))
                        .contains("\"name\":\"figures\"", "\"name\":\"payments\"")
                        .doesNotContain("\"id\":\"c3\""));
    }

    @Test
    void keys_that_are_refused_most_are_on_the_cards_of_their_policies() {
        APP.withPropertyValues(
                        "levee.policies.tenant-limiter.permits=1",
                        "levee.policies.tenant-limiter.per=1h",
                        "levee.policies.tenant-limiter.keys.max=10",
                        "levee.policies.tenant-limiter-big.kind=bulkhead",
                        "levee.policies.tenant-limiter-big.keys.max=10",
                        "levee.policies.lone-limiter.permits=1",
                        "levee.policies.lone-limiter.per=1h",
                        "levee.pipelines.tenants=tenant-limiter",
                        "levee.pipelines.all=lone-limiter,tenant-limiter")
                .run(context -> {
                    LeveePolicies policies = context.getBean(LeveePolicies.class);
                    refuse(policies.policy("tenant-limiter", "acme"), 3);
                    refuse(policies.policy("tenant-limiter", "north-west"), 1);
                    refuse(policies.policy("lone-limiter"), 5);

                    assertThat(snapshot(context))
                            .contains("\"keys\":[{\"key\":\"acme\",\"share\":0.75},"
                                    + "{\"key\":\"north-west\",\"share\":0.25}]")
                            .containsSubsequence("\"key\":\"acme\"", "\"key\":\"acme\"")
                            .doesNotContainPattern("\"key\":\"(limiter|big|west)");
                });
    }

    private static void refuse(Policy policy, int times) {
        policy.call(() -> "admitted");
        for (int i = 0; i < times; i++) {
            assertThatThrownBy(() -> policy.call(() -> "never")).isInstanceOf(RefusedException.class);
        }
    }

    @Test
    void a_token_makes_buttons_and_is_never_shown() {
        APP.withPropertyValues("levee.policies.a-breaker.open-for=10s", "levee.console.token=" + TOKEN)
                .run(context -> assertThat(snapshot(context))
                        .contains("\"buttons\":true", "\"control\":\"p")
                        .doesNotContain(TOKEN));
    }

    @Test
    void a_console_of_the_application_gets_the_cards_and_events() {
        APP.withPropertyValues("levee.policies.a-breaker.open-for=10s")
                .withBean(
                        "mine",
                        Console.class,
                        () -> Console.start(c -> c.port(0).title("mine")))
                .run(context -> {
                    context.getBean("a-breaker", CircuitBreaker.class).forceOpen();
                    assertThat(context).hasSingleBean(Console.class);
                    assertThat(snapshot(context)).contains("\"title\":\"mine\"", "a-breaker", "forced open\"}");
                });
    }

    @Test
    void the_page_is_served_in_an_application_that_makes_its_beans_late() {
        APP.withInitializer(context ->
                        context.addBeanFactoryPostProcessor(new LazyInitializationBeanFactoryPostProcessor()))
                .withPropertyValues("levee.policies.a-breaker.open-for=10s")
                .run(context -> {
                    assertThat(context.getBeanFactory().containsSingleton("leveeConsole"))
                            .isTrue();
                    assertThat(snapshot(context)).contains("\"name\":\"a-breaker\"");
                });
    }

    @Test
    void the_page_ends_with_the_application() {
        URI[] address = new URI[1];
        APP.run(context -> address[0] = context.getBean(Console.class).address());
        assertThatThrownBy(() -> HttpClient.newHttpClient()
                        .send(HttpRequest.newBuilder(address[0]).build(), BodyHandlers.ofString()))
                .isInstanceOf(IOException.class);
    }

    @Test
    void wrong_settings_fail_the_start_with_property_value_and_bound() {
        fails("levee.console.port = \"70000\"", "port must be from 0 to 65535", "levee.console.port=70000");
        fails("levee.console.bind = \"0.0.0.0\"", "unless a token is set", "levee.console.bind=0.0.0.0");
        fails("levee.console.bind = \"example.org\"", "must be an address", "levee.console.bind=example.org");
        fails("levee.console.streams = \"65\"", "from 1 to 64", "levee.console.streams=65");
        fails("levee.console.hosts = \"*.evil\"", "host must be a name", "levee.console.hosts=ops.example,*.evil");
        fails("levee.console.enabled = \"maybe\"", "true or false", "levee.console.enabled=maybe");
        fails("levee.console.stream = ", "did you mean \"streams\"?", "levee.console.stream=3");
        fails("levee.consol.port = \"1\"", "did you mean \"console\"?", "levee.consol.port=1");
    }

    @Test
    void settings_are_checked_where_no_page_is_asked_for() {
        fails("levee.console.port = \"-1\"", "from 0", "levee.console.enabled=false", "levee.console.port=-1");
    }

    @Test
    void a_token_that_is_wrong_is_not_said() {
        for (String property : new String[] {"levee.console.token", "levee.console.tokn", "levee.consol.token"}) {
            APP.withPropertyValues(property + "=s3cret-s3cret")
                    .run(context -> assertThat(failure(context))
                            .contains(property + " = \"******\"")
                            .doesNotContain("s3cret"));
        }
    }

    @Test
    void a_port_in_use_fails_the_start_with_its_property() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            fails(
                    "levee.console.port = \"" + taken.getLocalPort() + "\"",
                    "cannot listen on 127.0.0.1",
                    "levee.console.port=" + taken.getLocalPort());
        }
    }

    @Test
    void without_the_console_among_the_dependencies_asking_for_it_fails_the_start() {
        new ApplicationContextRunner()
                .withClassLoader(new FilteredClassLoader(Console.class))
                .withConfiguration(
                        AutoConfigurations.of(LeveeConsoleAutoConfiguration.class, LeveeAutoConfiguration.class))
                .withPropertyValues("levee.console.enabled=true", "levee.console.port=0")
                .run(context ->
                        assertThat(failure(context)).contains("levee.console.enabled = \"true\": needs levee-console"));
    }

    @Test
    void settings_of_the_page_need_a_restart_and_changing_one_changes_nothing() {
        APP.withPropertyValues("levee.policies.a-breaker.failure-rate=0.5").run(context -> {
            Map<String, Object> more = new HashMap<>();
            context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("more", more));
            more.put("levee.console.token", TOKEN);
            more.put("levee.policies.a-breaker.failure-rate", "0.2");
            LeveePolicies policies = context.getBean(LeveePolicies.class);

            assertThatThrownBy(policies::reload)
                    .isInstanceOf(LeveeConfigurationException.class)
                    .hasMessageContaining("levee.console.token: cannot change while running")
                    .hasMessageNotContaining(TOKEN);
            more.remove("levee.console.token");
            assertThat(policies.reload()).containsExactly("a-breaker");
        });
    }

    @Test
    void variables_of_a_service_of_Kubernetes_are_no_settings() {
        Map<String, Object> process = Map.of(
                "LEVEE_CONSOLE_PORT", "tcp://10.0.0.7:8090",
                "LEVEE_CONSOLE_PORT_8090_TCP", "tcp://10.0.0.7:8090",
                "LEVEE_CONSOLE_PORT_8090_TCP_PROTO", "tcp",
                "LEVEE_CONSOLE_SERVICE_HOST", "10.0.0.7",
                "LEVEE_CONSOLE_SERVICE_PORT", "8090",
                "LEVEE_CONSOLE_TITLE", "front");
        APP.withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new SystemEnvironmentPropertySource("test-systemEnvironment", process)))
                .run(context -> assertThat(snapshot(context)).contains("\"title\":\"front\""));
    }

    @Test
    void a_token_that_was_not_given_is_none() {
        fails(
                "levee.console.token",
                "has a placeholder that cannot be resolved",
                "levee.console.token=${CONSOLE_TOKEN_OF_NOBODY}");
    }
}
