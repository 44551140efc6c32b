package dev.levee.dns;

import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.util.function.Supplier;

/** What a look-up needs: the machine's settings at the moment, and the way to its name servers. */
record NameService(ResolverSettings settings, DnsExchange exchange) {
    /** Returns the service for each look-up of a source; what is known of the servers is kept from one to the next. */
    static Supplier<NameService> ofMachine(DnsConfig config, Environment environment) {
        Require.nonNull("config", config);
        Require.nonNull("environment", environment);
        ServerHistory history = new ServerHistory(environment.clock());
        DnsTransport transport = new DnsTransport(environment.clock());
        return () -> {
            ResolverSettings settings =
                    config.servers().isEmpty() ? ResolverSettings.ofMachine() : ResolverSettings.of(config.servers());
            long timeoutNanos = Nanos.of(config.timeout());
            return new NameService(
                    settings, new NameServers(settings, timeoutNanos, history, transport, environment.clock()));
        };
    }
}
