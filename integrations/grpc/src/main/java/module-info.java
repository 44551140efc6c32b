/** Levee around gRPC: guards for clients and servers, and balancing inside a channel. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // gRPC has no module descriptors
module dev.levee.grpc {
    requires transitive dev.levee.core;
    requires transitive dev.levee.loadbalancing;
    requires transitive dev.levee.ratelimit;
    requires org.slf4j;
    requires static transitive io.grpc;
    requires static io.grpc.util;
    requires static transitive org.jspecify;

    exports dev.levee.grpc;
    exports dev.levee.grpc.balancing;

    provides io.grpc.LoadBalancerProvider with
            dev.levee.grpc.balancing.LeveeLoadBalancerProvider;
}
