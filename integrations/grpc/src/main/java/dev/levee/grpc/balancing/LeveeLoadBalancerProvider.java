package dev.levee.grpc.balancing;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancerProvider;
import io.grpc.LoadBalancerRegistry;
import io.grpc.NameResolver.ConfigOrError;
import io.grpc.Status;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The load balancing policy {@value #POLICY} of gRPC channels: Levee's strategies over the connections of a channel,
 * and endpoints that fail left out for a time.
 *
 * <pre>{@code
 * ManagedChannelBuilder.forTarget("dns:///catalog:443").defaultLoadBalancingPolicy("levee").build();
 * // or in a service config
 * {"loadBalancingConfig": [{"levee": {"strategy": "least_time", "ejection": {"ejectFor": "30s"}}}]}
 * }</pre>
 *
 * <p>gRPC finds it by {@code ServiceLoader}. One connection is kept to each address that the name resolver returns, and
 * each call goes to one that is READY, as long as there is one. What a stream tells, its status and its time, is what
 * the strategy and the ejection learn from ({@link dev.levee.grpc.GrpcOutcomes}). Calls of a
 * {@link dev.levee.grpc.GrpcClientGuard} go to another endpoint for each attempt.
 *
 * <table>
 * <caption>Properties of the config; an unknown or a wrong one is an error that names it</caption>
 * <tr><th>Name</th><th>Meaning</th></tr>
 * <tr><td>{@code strategy}</td><td>{@code least_time} (default), {@code power_of_two_choices},
 * {@code least_connections}, {@code round_robin}, {@code random}, {@code consistent_hash} or
 * {@code rendezvous}</td></tr>
 * <tr><td>{@code hashHeader}</td><td>a metadata key of the request, whose value is the key of the call for the last two
 * strategies; without it they pick any</td></tr>
 * <tr><td>{@code ejection}</td><td>{@code false}, or an object with any of {@code consecutiveFailures},
 * {@code ejectFor}, {@code maxEjectFor}, {@code maxEjected}, {@code panicBelow} and {@code slowStart}: see
 * {@link dev.levee.loadbalancing.HealthConfig.Builder}. Default: on, with the defaults there</td></tr>
 * </table>
 *
 * <p>Figures of all channels of this provider come from {@link #measure}, by the target of each; the provider that gRPC
 * uses is {@code LoadBalancerRegistry.getDefaultRegistry().getProvider("levee")}.
 *
 * <p>Thread-safe. The API of gRPC that this implements is experimental.
 *
 * @since 0.1
 */
public final class LeveeLoadBalancerProvider extends LoadBalancerProvider implements Measured {
    /** The name of the policy in service configs. */
    public static final String POLICY = "levee";

    private static final int PRIORITY = 5;

    private final Environment environment;
    private final List<ChannelBalancer> balancers = new CopyOnWriteArrayList<>();

    /** Makes a provider in {@link Environment#system()}. For {@code ServiceLoader}. */
    public LeveeLoadBalancerProvider() {
        this(Environment.system());
    }

    /**
     * Makes a provider.
     *
     * @param environment gives time, timers and randomness to all balancers
     * @throws NullPointerException if {@code environment} is null
     */
    public LeveeLoadBalancerProvider(Environment environment) {
        this.environment = Require.nonNull("environment", environment);
    }

    @Override
    public boolean isAvailable() {
        return true;
    }

    @Override
    public int getPriority() {
        return PRIORITY;
    }

    @Override
    public String getPolicyName() {
        return POLICY;
    }

    @Override
    public LoadBalancer newLoadBalancer(LoadBalancer.Helper helper) {
        LoadBalancerProvider pickFirst =
                LoadBalancerRegistry.getDefaultRegistry().getProvider("pick_first");
        if (pickFirst == null) {
            throw new IllegalStateException("balancer \"" + helper.getChannelTarget()
                    + "\": gRPC has no policy pick_first; grpc-core must be on the class path");
        }
        ChannelBalancer balancer = new ChannelBalancer(helper, pickFirst, environment, balancers::remove);
        balancers.add(balancer);
        return balancer;
    }

    @Override
    public ConfigOrError parseLoadBalancingPolicyConfig(Map<String, ?> json) {
        try {
            return ConfigOrError.fromConfig(BalancerSettings.parse(json));
        } catch (RuntimeException wrong) {
            return ConfigOrError.fromError(Status.UNAVAILABLE
                    .withDescription("policy \"" + POLICY + "\": " + wrong.getMessage())
                    .withCause(wrong));
        }
    }

    /** Reports the figures of the balancers of all open channels, under the target of each. */
    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        balancers.forEach(balancer -> balancer.measure(sink));
    }
}
