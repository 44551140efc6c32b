package dev.levee.spring.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.loadbalancing.EndpointState;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.cloud.client.circuitbreaker.NoFallbackAvailableException;
import org.springframework.cloud.loadbalancer.core.ReactorServiceInstanceLoadBalancer;
import org.springframework.cloud.loadbalancer.support.LoadBalancerClientFactory;
import org.springframework.cloud.openfeign.EnableFeignClients;
import org.springframework.cloud.openfeign.FeignClient;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.web.bind.annotation.GetMapping;

/** OpenFeign with nothing but this module on its class path. */
class FeignOnLeveeTest {
    /** Balanced, and through a breaker by the name that OpenFeign gives it. */
    @FeignClient("products")
    interface Products {
        @GetMapping("/name")
        String name();
    }

    /** Always answers with a failure. */
    @FeignClient("broken")
    interface Broken {
        @GetMapping("/name")
        String name();
    }

    @SpringBootConfiguration
    @EnableAutoConfiguration
    @EnableFeignClients(clients = {Products.class, Broken.class})
    static class Application {
        @Bean
        BalancingStrategy strategy() {
            return BalancingStrategy.roundRobin();
        }

        @Bean("Brokenname")
        CircuitBreaker brokenname() {
            return CircuitBreaker.of("Brokenname", c -> c.consecutiveFailures(2).openFor(Duration.ofHours(1)));
        }
    }

    @Test
    void feign_clients_are_balanced_and_guarded_unchanged() {
        try (CloudNode a = new CloudNode(CloudNode.status(200, "a"));
                CloudNode b = new CloudNode(CloudNode.status(200, "b"));
                CloudNode broken = new CloudNode(CloudNode.status(500, "no"));
                ConfigurableApplicationContext context = new SpringApplicationBuilder(Application.class)
                        .web(WebApplicationType.NONE)
                        .properties(
                                "spring.main.banner-mode=off",
                                "logging.level.root=WARN",
                                "spring.cloud.gateway.server.webflux.enabled=false",
                                "spring.cloud.openfeign.circuitbreaker.enabled=true",
                                "spring.cloud.openfeign.circuitbreaker.alphanumeric-ids.enabled=true",
                                "spring.cloud.discovery.client.simple.instances.products[0].uri=" + a.uri(),
                                "spring.cloud.discovery.client.simple.instances.products[1].uri=" + b.uri(),
                                "spring.cloud.discovery.client.simple.instances.broken[0].uri=" + broken.uri())
                        .run()) {
            Products products = context.getBean(Products.class);
            Set<String> answers = new HashSet<>();
            for (int i = 0; i < 6; i++) {
                answers.add(products.name());
            }
            assertThat(answers).containsExactlyInAnyOrder("a", "b");
            InstanceBalancer balancer = (InstanceBalancer) context.getBean(LoadBalancerClientFactory.class)
                    .getInstance("products", ReactorServiceInstanceLoadBalancer.class);
            assertThat(balancer.balancer().snapshot().stream().mapToInt(EndpointState::inFlight))
                    .containsOnly(0);

            Broken client = context.getBean(Broken.class);
            for (int i = 0; i < 4; i++) {
                assertThatThrownBy(client::name).isInstanceOf(NoFallbackAvailableException.class);
            }
            assertThat(broken.requests).as("the breaker has opened").hasSize(2);
        }
    }
}
