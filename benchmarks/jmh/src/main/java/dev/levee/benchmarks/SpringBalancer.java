package dev.levee.benchmarks;

import java.util.ArrayList;
import java.util.List;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.cloud.client.DefaultServiceInstance;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.loadbalancer.DefaultRequest;
import org.springframework.cloud.client.loadbalancer.Request;
import org.springframework.cloud.client.loadbalancer.Response;
import org.springframework.cloud.loadbalancer.core.RoundRobinLoadBalancer;
import org.springframework.cloud.loadbalancer.core.ServiceInstanceListSupplier;
import reactor.core.publisher.Flux;

/** Spring Cloud LoadBalancer's round robin over a fixed list, asked as its blocking client asks it. */
final class SpringBalancer {
    private static final Request<?> REQUEST = new DefaultRequest<>("r");

    private final RoundRobinLoadBalancer balancer;

    SpringBalancer(int endpoints) {
        List<ServiceInstance> instances = new ArrayList<>();
        for (int i = 0; i < endpoints; i++) {
            instances.add(new DefaultServiceInstance("i" + i, "b", "10.0.0." + i, 80, false));
        }
        Flux<List<ServiceInstance>> fixed = Flux.just(List.copyOf(instances));
        balancer = new RoundRobinLoadBalancer(new Fixed(fixed), "b");
    }

    ServiceInstance pick() {
        Response<ServiceInstance> response = balancer.choose(REQUEST).block();
        ServiceInstance instance = response == null ? null : response.getServer();
        if (instance == null) {
            throw new IllegalStateException("Spring's balancer is not ready");
        }
        return instance;
    }

    private record Fixed(Flux<List<ServiceInstance>> instances)
            implements ObjectProvider<ServiceInstanceListSupplier>, ServiceInstanceListSupplier {
        @Override
        public ServiceInstanceListSupplier getObject() {
            return this;
        }

        @Override
        public String getServiceId() {
            return "b";
        }

        @Override
        public Flux<List<ServiceInstance>> get() {
            return instances;
        }
    }
}
