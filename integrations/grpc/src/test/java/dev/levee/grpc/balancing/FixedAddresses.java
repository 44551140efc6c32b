package dev.levee.grpc.balancing;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.StatusOr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.stream.IntStream;

/** A name resolver whose addresses a test sets. */
final class FixedAddresses extends NameResolverProvider {
    private volatile List<EquivalentAddressGroup> addresses = List.of();
    private volatile NameResolver.Listener2 listener;
    private volatile NameResolver.Args args;

    void set(int... ports) {
        addresses = IntStream.of(ports)
                .mapToObj(port ->
                        new EquivalentAddressGroup(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)))
                .toList();
        NameResolver.Listener2 to = listener;
        if (to != null) {
            publish(to);
        }
    }

    private void publish(NameResolver.Listener2 to) {
        NameResolver.ResolutionResult result = NameResolver.ResolutionResult.newBuilder()
                .setAddressesOrError(StatusOr.fromValue(addresses))
                .build();
        args.getSynchronizationContext().execute(() -> to.onResult2(result));
    }

    @Override
    public NameResolver newNameResolver(URI target, NameResolver.Args given) {
        args = given;
        return new NameResolver() {
            @Override
            public String getServiceAuthority() {
                return "test";
            }

            @Override
            public void start(Listener2 started) {
                listener = started;
                publish(started);
            }

            @Override
            public void shutdown() {
                listener = null;
            }
        };
    }

    @Override
    public String getDefaultScheme() {
        return "fixed";
    }

    @Override
    protected boolean isAvailable() {
        return true;
    }

    @Override
    protected int priority() {
        return 5;
    }
}
