package dev.levee.spring.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.EndpointState;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.net.ConnectException;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.springframework.cloud.client.DefaultServiceInstance;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.loadbalancer.CompletionContext;
import org.springframework.cloud.client.loadbalancer.DefaultRequest;
import org.springframework.cloud.client.loadbalancer.DefaultResponse;
import org.springframework.cloud.client.loadbalancer.Request;
import org.springframework.cloud.client.loadbalancer.Response;
import org.springframework.cloud.client.loadbalancer.ResponseData;
import org.springframework.cloud.client.loadbalancer.RetryableRequestContext;
import org.springframework.cloud.loadbalancer.core.ServiceInstanceListSupplier;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.web.servlet.function.ServerResponse;
import reactor.core.publisher.Flux;

class InstanceBalancerTest {
    private final ManualTime time = new ManualTime();
    private final TicketLifecycle lifecycle = TicketLifecycle.create();
    private volatile List<ServiceInstance> known = List.of(at(1), at(2), at(3));
    private final InstanceBalancer balancer = balancer(BalancingStrategy.roundRobin());

    private InstanceBalancer balancer(BalancingStrategy strategy) {
        ServiceInstanceListSupplier supplier = new ServiceInstanceListSupplier() {
            @Override
            public String getServiceId() {
                return "catalog";
            }

            @Override
            public Flux<List<ServiceInstance>> get() {
                return Flux.just(known);
            }
        };
        return InstanceBalancer.of("catalog", () -> supplier, strategy, c -> {}, time.environment());
    }

    private static ServiceInstance at(int port) {
        return at(port, Map.of());
    }

    private static ServiceInstance at(int port, Map<String, String> metadata) {
        return new DefaultServiceInstance("id-" + port, "catalog", "10.0.0.1", port, false, metadata);
    }

    private Response<ServiceInstance> choose() {
        return choose(new DefaultRequest<>());
    }

    private Response<ServiceInstance> choose(Request<?> request) {
        return balancer.choose(request).block();
    }

    private static int port(Response<ServiceInstance> response) {
        return response.getServer().getPort();
    }

    private int inFlight() {
        return balancer.balancer().snapshot().stream()
                .mapToInt(EndpointState::inFlight)
                .sum();
    }

    private void complete(Response<ServiceInstance> response, HttpStatus status) {
        ResponseData data = new ResponseData(status, new HttpHeaders(), null, null);
        lifecycle.onComplete(new CompletionContext<>(
                CompletionContext.Status.SUCCESS, new DefaultRequest<>(new Object()), response, data));
    }

    private void fail(Response<ServiceInstance> response, Throwable error) {
        lifecycle.onComplete(new CompletionContext<>(
                CompletionContext.Status.FAILED, error, new DefaultRequest<>(new Object()), response));
    }

    @Test
    void instances_take_turns_and_keep_their_data() {
        Set<Integer> ports = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            Response<ServiceInstance> response = choose();
            ports.add(port(response));
            assertThat(response.getServer().getInstanceId()).isEqualTo("id-" + port(response));
            assertThat(response.getServer().getServiceId()).isEqualTo("catalog");
            complete(response, HttpStatus.OK);
        }
        assertThat(ports).containsExactlyInAnyOrder(1, 2, 3);
    }

    @Test
    void a_request_counts_as_in_flight_until_its_end_is_told_the_first_time() {
        Response<ServiceInstance> first = choose();
        Response<ServiceInstance> second = choose();
        assertThat(inFlight()).isEqualTo(2);
        complete(first, HttpStatus.OK);
        complete(first, HttpStatus.OK);
        fail(first, new IllegalStateException());
        assertThat(inFlight()).isEqualTo(1);
        // as a blocking client does: another response around the same instance
        complete(new DefaultResponse(second.getServer()), HttpStatus.OK);
        assertThat(inFlight()).isZero();
    }

    /** As the gateway on servlets wraps the instance that it was given. */
    private static ServiceInstance wrapped(ServiceInstance instance) {
        return new ServiceInstance() {
            @Override
            public String getServiceId() {
                return instance.getServiceId();
            }

            @Override
            public String getHost() {
                return instance.getHost();
            }

            @Override
            public int getPort() {
                return instance.getPort();
            }

            @Override
            public boolean isSecure() {
                return instance.isSecure();
            }

            @Override
            public URI getUri() {
                return instance.getUri();
            }

            @Override
            public Map<String, String> getMetadata() {
                return instance.getMetadata();
            }
        };
    }

    private void completeOnServlets(Response<ServiceInstance> response, HttpStatus status) {
        ServerResponse answer = new ServerResponse() {
            @Override
            public HttpStatusCode statusCode() {
                return status;
            }

            @Override
            public HttpHeaders headers() {
                return new HttpHeaders();
            }
        };
        lifecycle.onComplete(new CompletionContext<>(
                CompletionContext.Status.SUCCESS,
                new DefaultRequest<>(new Object()),
                new DefaultResponse(wrapped(response.getServer())),
                answer));
    }

    @Test
    void the_gateway_on_servlets_wraps_the_instance_and_its_requests_end_all_the_same() {
        known = List.of(at(1, Map.of("zone", "a", "version", "2")));
        Response<ServiceInstance> response = choose();
        assertThat(response.getServer().getMetadata())
                .containsEntry("version", "2")
                .hasSize(2);
        assertThat(inFlight()).isEqualTo(1);
        completeOnServlets(response, HttpStatus.OK);
        assertThat(inFlight()).isZero();
    }

    @Test
    void the_status_of_an_answer_on_servlets_is_evidence() {
        known = List.of(at(1), at(2));
        int bad = 0;
        for (int i = 0; i < 400; i++) {
            Response<ServiceInstance> response = choose();
            boolean isBad = port(response) == 1;
            bad += isBad ? 1 : 0;
            completeOnServlets(response, isBad ? HttpStatus.INTERNAL_SERVER_ERROR : HttpStatus.OK);
        }
        assertThat(bad).isLessThan(150); // its breaker has opened
        assertThat(inFlight()).isZero();
    }

    @Test
    void many_threads_that_tell_the_end_at_once_count_as_one() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 200; round++) {
                Response<ServiceInstance> response = choose();
                CyclicBarrier together = new CyclicBarrier(4);
                List<Future<?>> told = new java.util.ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    told.add(threads.submit(() -> {
                        together.await();
                        complete(response, HttpStatus.OK);
                        return null;
                    }));
                }
                for (Future<?> one : told) {
                    one.get();
                }
                assertThat(inFlight()).isZero();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void a_request_whose_end_is_never_told_ends_with_its_lease() {
        choose();
        time.advance(java.time.Duration.ofMinutes(4));
        assertThat(inFlight()).isEqualTo(1);
        time.advance(java.time.Duration.ofMinutes(2));
        assertThat(inFlight()).isZero();
    }

    @Test
    void an_instance_that_answers_500_is_left_out() {
        for (int i = 0; i < 300; i++) {
            Response<ServiceInstance> response = choose();
            complete(response, port(response) == 2 ? HttpStatus.INTERNAL_SERVER_ERROR : HttpStatus.OK);
        }
        for (int i = 0; i < 10; i++) {
            Response<ServiceInstance> response = choose();
            assertThat(port(response)).isNotEqualTo(2);
            complete(response, HttpStatus.OK);
        }
    }

    @Test
    void not_found_is_no_evidence_against_an_instance() {
        for (int i = 0; i < 300; i++) {
            complete(choose(), HttpStatus.NOT_FOUND);
        }
        assertThat(choose().hasServer()).isTrue();
    }

    @Test
    void when_every_instance_is_left_out_there_is_no_answer() {
        known = List.of(at(1));
        for (int i = 0; i < 100; i++) {
            Response<ServiceInstance> response = choose();
            if (!response.hasServer()) {
                break;
            }
            fail(response, new ConnectException("refused"));
        }
        assertThat(choose().hasServer()).isFalse();
        known = List.of();
        assertThat(choose().hasServer()).isFalse();
    }

    @Test
    void a_retry_goes_to_another_instance() {
        for (int i = 0; i < 30; i++) {
            Response<ServiceInstance> first = choose();
            Response<ServiceInstance> second =
                    choose(new DefaultRequest<>(new RetryableRequestContext(first.getServer())));
            assertThat(port(second)).isNotEqualTo(port(first));
            complete(first, HttpStatus.OK);
            complete(second, HttpStatus.OK);
        }
        assertThat(inFlight()).isZero();
    }

    @Test
    void instances_come_and_go_and_keep_their_history_when_metadata_changes() {
        Response<ServiceInstance> running = choose();
        int port = port(running);
        known = List.of(at(port, Map.of("version", "2")), at(9));
        choose();
        assertThat(balancer.balancer().snapshot()).hasSize(2);
        assertThat(inFlight()).as("the one that runs on is still there").isEqualTo(2);
        known = List.of(at(9));
        for (int i = 0; i < 5; i++) {
            assertThat(port(choose())).isEqualTo(9);
        }
    }

    @Test
    void a_list_that_its_supplier_changes_is_read_again() {
        List<ServiceInstance> changing = new ArrayList<>();
        known = changing;
        assertThat(choose().hasServer()).isFalse();
        changing.add(at(1));
        assertThat(port(choose())).isEqualTo(1);
        changing.set(0, at(2));
        assertThat(port(choose())).isEqualTo(2);
        changing.add(at(3));
        assertThat(List.of(port(choose()), port(choose()))).containsExactlyInAnyOrder(2, 3);
        changing.clear();
        choose();
        assertThat(balancer.balancer().snapshot()).isEmpty();
    }

    @Test
    void an_instance_without_a_host_is_left_out_and_the_others_are_asked() {
        choose();
        known = List.of(
                at(7),
                new DefaultServiceInstance("nowhere", "catalog", null, 8, false),
                new DefaultServiceInstance("blank", "catalog", " ", 9, false));
        for (int i = 0; i < 4; i++) {
            assertThat(port(choose())).isEqualTo(7);
        }
    }

    @Test
    void metadata_gives_zone_and_weight_and_nonsense_is_ignored() {
        known = List.of(
                at(1, Map.of("zone", "west", "weight", "3")),
                at(2, Map.of("weight", "many")),
                at(3, Map.of("weight", "-1", "zone", " ")),
                at(3, Map.of("weight", "NaN")));
        choose();
        assertThat(balancer.balancer().snapshot())
                .extracting(
                        state -> state.endpoint().weight(),
                        state -> state.endpoint().zone())
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple(3.0, "west"),
                        org.assertj.core.groups.Tuple.tuple(1.0, ""),
                        org.assertj.core.groups.Tuple.tuple(1.0, ""));
    }

    @Test
    void a_completion_without_an_instance_of_ours_is_none_of_our_business() {
        complete(new DefaultResponse(at(1)), HttpStatus.OK);
        fail(null, new IllegalStateException());
        lifecycle.onComplete(new CompletionContext<>(
                CompletionContext.Status.DISCARD, new DefaultRequest<>(new Object()), choose()));
        assertThat(inFlight()).isZero();
    }

    @Test
    void bad_settings_are_refused_by_name() {
        assertThatThrownBy(() -> InstanceBalancer.of(" ", () -> null, BalancingStrategy.random()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> InstanceBalancer.of("x", () -> null, null)).isInstanceOf(NullPointerException.class);
        assertThat(InstanceBalancer.of("x", () -> null, BalancingStrategy.random())
                        .choose(new DefaultRequest<>())
                        .block()
                        .hasServer())
                .isFalse();
    }
}
