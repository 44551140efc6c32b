package dev.levee.benchmarks;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.hash.Member;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.Candidates;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/** Levee's balancers as a user gets them: defaults, and the endpoints that the questions ask for. */
final class LeveeBalancers {
    private LeveeBalancers() {}

    /** A balancer over endpoints of weight 1. */
    static LoadBalancer<String> of(BalancingStrategy strategy, int endpoints) {
        return of(strategy, endpoints, index -> 1);
    }

    static LoadBalancer<String> of(BalancingStrategy strategy, int endpoints, IntToDoubleFunction weight) {
        List<Endpoint<String>> set = new ArrayList<>();
        for (int i = 0; i < endpoints; i++) {
            set.add(Endpoint.of("10.0.0." + i + ":80", weight.applyAsDouble(i)));
        }
        return LoadBalancer.of("b", strategy, EndpointSource.of(set));
    }

    /** The picker that such a balancer asks, over the candidates that it gives to it: what a pick alone costs. */
    static BalancingStrategy.Picker picker(BalancingStrategy strategy, int endpoints, IntToDoubleFunction weight) {
        Shown shown = new Shown(strategy);
        of(shown, endpoints, weight);
        return shown.pickers.get(shown.pickers.size() - 1);
    }

    /** Members of a hash, of weight 1. */
    static List<Member> members(int count) {
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            members.add(Member.of("10.0.0." + i + ":11211"));
        }
        return members;
    }

    /** A strategy of a user's own that keeps what the one behind it makes. */
    private static final class Shown implements BalancingStrategy {
        final List<Picker> pickers = new ArrayList<>();
        private final BalancingStrategy strategy;

        Shown(BalancingStrategy strategy) {
            this.strategy = strategy;
        }

        @Override
        public Picker over(Candidates candidates) {
            Picker picker = strategy.over(candidates);
            pickers.add(picker);
            return picker;
        }

        @Override
        public boolean usesKey() {
            return strategy.usesKey();
        }
    }
}
