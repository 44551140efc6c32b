package dev.levee.spring.cloud;

import dev.levee.loadbalancing.Ticket;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.loadbalancer.Response;
import org.springframework.cloud.gateway.filter.GatewayFilterChain;
import org.springframework.cloud.gateway.filter.GlobalFilter;
import org.springframework.cloud.gateway.filter.ReactiveLoadBalancerClientFilter;
import org.springframework.cloud.gateway.support.ServerWebExchangeUtils;
import org.springframework.core.Ordered;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * Ends a request at its instance when the client of the gateway goes away, of which a {@link TicketLifecycle} is not
 * told. Thread-safe; does not block.
 *
 * @since 0.1
 */
public final class TicketFilter implements GlobalFilter, Ordered {
    private TicketFilter() {}

    /**
     * Returns the filter.
     *
     * @return the filter
     */
    public static TicketFilter create() {
        return new TicketFilter();
    }

    @Override
    public int getOrder() {
        return ReactiveLoadBalancerClientFilter.LOAD_BALANCER_CLIENT_FILTER_ORDER - 1;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, GatewayFilterChain chain) {
        return chain.filter(exchange).doFinally(end -> {
            Response<?> response = exchange.getAttribute(ServerWebExchangeUtils.GATEWAY_LOADBALANCER_RESPONSE_ATTR);
            Ticket<ServiceInstance> ticket =
                    response != null && response.getServer() instanceof ServiceInstance instance
                            ? PickedInstance.ticketOf(instance)
                            : null;
            if (ticket != null) {
                ticket.close(); // without effect if its outcome is known
            }
        });
    }
}
