package dev.levee.loadbalancing.discovery;

import dev.levee.core.NanoClock;
import dev.levee.core.internal.Nanos;
import dev.levee.loadbalancing.discovery.DnsConfig.Family;
import dev.levee.loadbalancing.discovery.DnsMessage.DnsRecord;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds endpoints in DNS: the addresses of a host, or the targets of a service (RFC 2782, A. Gulbrandsen, P. Vixie, L. Esibov, 2000)
 * and their addresses.
 *
 * <p>It remembers the last good answer to each question that it needs. So one that is still good is not asked again, and where no
 * answer comes the last one stays, for that question alone.
 */
final class DnsLookup implements Polling.Look<InetSocketAddress> {
    /** The label that names the target of an SRV record. */
    static final String HOST = "host";

    /** What SRV calls 0 is a small share and not a drain: a tenth of the least that it can say otherwise. */
    static final double SMALL_WEIGHT = 0.1;

    /** A port: that of each record. */
    static final int OF_RECORDS = 0;

    /** How long an answer is good for that does not say so. */
    static final long ASSUMED_SECONDS = 30;

    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final int TIMEOUTS = 5;

    /** Whom to ask, as the machine says at the moment. */
    record Resolver(DnsSettings settings, DnsExchange exchange) {}

    private record Question(String name, int type) {}

    private record Known(List<DnsRecord> records, long untilNanos) {}

    private final String name;
    private final int port;
    private final Supplier<Resolver> resolvers;
    private final Function<String, List<InetAddress>> hosts;
    private final NanoClock clock;
    private final List<Integer> types;
    private final boolean firstOnly;
    private final long minNanos;
    private final long maxNanos;
    private final long timeoutNanos;
    private Map<Question, Known> memory = Map.of();

    DnsLookup(
            String name,
            int port,
            DnsConfig config,
            Supplier<Resolver> resolvers,
            Function<String, List<InetAddress>> hosts,
            NanoClock clock) {
        this.name = name;
        this.port = port;
        this.resolvers = resolvers;
        this.hosts = hosts;
        this.clock = clock;
        this.types = types(config.family());
        this.firstOnly = config.family() != Family.BOTH;
        this.minNanos = Nanos.of(config.minTtl());
        this.maxNanos = Nanos.of(config.maxTtl());
        this.timeoutNanos = Nanos.of(config.timeout());
    }

    private static List<Integer> types(Family family) {
        return switch (family) {
            case IPV4 -> List.of(DnsMessage.A);
            case IPV6 -> List.of(DnsMessage.AAAA);
            case PREFER_IPV4, BOTH -> List.of(DnsMessage.A, DnsMessage.AAAA);
            case PREFER_IPV6 -> List.of(DnsMessage.AAAA, DnsMessage.A);
        };
    }

    @Override
    public Polling.Found<InetSocketAddress> look() throws IOException {
        Round round = new Round(resolvers.get());
        List<Endpoint<InetSocketAddress>> endpoints = port == OF_RECORDS ? round.targets() : round.addresses();
        memory = round.used;
        long again = Math.max(minNanos, Math.min(maxNanos, round.goodUntil - clock.nanoTime()));
        return new Polling.Found<>(endpoints, again, round.problem, true);
    }

    /** One look-up. */
    private final class Round {
        final Map<Question, Known> used = new LinkedHashMap<>();
        private final Resolver resolver;
        private final DnsAliases aliases;
        private final long deadline;
        long goodUntil;

        @Nullable IOException problem;

        Round(Resolver resolver) {
            this.resolver = resolver;
            long now = clock.nanoTime();
            this.deadline = now + Nanos.multiply(timeoutNanos, TIMEOUTS);
            this.goodUntil = now + maxNanos;
            this.aliases = new DnsAliases(resolver.exchange(), deadline);
        }

        List<Endpoint<InetSocketAddress>> addresses() throws IOException {
            List<InetAddress> own = ofOwnList();
            if (!own.isEmpty()) {
                goodUntil = until(ASSUMED_SECONDS);
                return endpoints(own);
            }
            for (String candidate : resolver.settings().candidates(name)) {
                List<InetAddress> addresses = addressesOf(candidate);
                if (!addresses.isEmpty()) {
                    return endpoints(addresses);
                }
            }
            throw new UnknownHostException(name + " has no addresses");
        }

        private List<Endpoint<InetSocketAddress>> endpoints(List<InetAddress> addresses) {
            List<Endpoint<InetSocketAddress>> endpoints = new ArrayList<>();
            addresses.forEach(address -> endpoints.add(Endpoint.of(new InetSocketAddress(address, port))));
            return endpoints;
        }

        private List<InetAddress> ofOwnList() {
            List<InetAddress> all = hosts.apply(name);
            List<InetAddress> wanted = new ArrayList<>();
            for (int type : types) {
                if (wanted.isEmpty() || !firstOnly) {
                    all.stream()
                            .filter(it -> it instanceof Inet4Address == (type == DnsMessage.A))
                            .forEach(wanted::add);
                }
            }
            return wanted;
        }

        List<Endpoint<InetSocketAddress>> targets() throws IOException {
            for (String candidate : resolver.settings().candidates(name)) {
                List<DnsRecord> records = known(new Question(candidate, DnsMessage.SRV));
                if (!records.isEmpty()) {
                    return targets(records);
                }
            }
            throw new UnknownHostException(name + " has no SRV records");
        }

        private List<Endpoint<InetSocketAddress>> targets(List<DnsRecord> records) throws IOException {
            boolean byRank = records.stream().anyMatch(record -> record.priority() > Endpoint.LAST_PRIORITY);
            List<Integer> ranks = records.stream()
                    .map(DnsRecord::priority)
                    .distinct()
                    .sorted()
                    .toList();
            List<Endpoint<InetSocketAddress>> endpoints = new ArrayList<>();
            for (DnsRecord record : records) {
                int priority =
                        byRank ? Math.min(ranks.indexOf(record.priority()), Endpoint.LAST_PRIORITY) : record.priority();
                add(record, priority, endpoints);
            }
            if (endpoints.isEmpty()) {
                throw problem != null ? problem : new UnknownHostException(name + " has no target with an address");
            }
            return endpoints;
        }

        /** A target of which nothing is known is left out; the others do not wait for it. */
        private void add(DnsRecord record, int priority, List<Endpoint<InetSocketAddress>> endpoints) {
            String target = record.target();
            if (target == null || target.isEmpty() || record.port() == 0) { // RFC 2782: "." says that there is none
                return;
            }
            List<InetAddress> addresses;
            try {
                addresses = addressesOf(target);
            } catch (IOException failed) {
                problem = failed;
                return;
            }
            double weight = (record.weight() == 0 ? SMALL_WEIGHT : record.weight()) / Math.max(1, addresses.size());
            for (InetAddress address : addresses) {
                endpoints.add(Endpoint.of(new InetSocketAddress(address, record.port()), weight)
                        .withPriority(priority)
                        .withLabel(HOST, target));
            }
        }

        /** Only a clear "none of these" leads on to the other family: else a failure would turn one set into another. */
        private List<InetAddress> addressesOf(String host) throws IOException {
            LinkedHashSet<InetAddress> addresses = new LinkedHashSet<>();
            IOException failure = null;
            for (int type : types) {
                try {
                    for (DnsRecord record : known(new Question(host, type))) {
                        if (record.address() != null) {
                            addresses.add(record.address());
                        }
                    }
                } catch (IOException failed) {
                    if (firstOnly) {
                        throw failed;
                    }
                    failure = failed;
                }
                if (firstOnly && !addresses.isEmpty()) {
                    break;
                }
            }
            if (failure != null) {
                if (addresses.isEmpty()) {
                    throw failure;
                }
                problem = failure;
            }
            return List.copyOf(addresses);
        }

        /** The answer that is still good, else a new one, else the last one; empty if DNS says that there is none. */
        private List<DnsRecord> known(Question question) throws IOException {
            Known known = used.get(question);
            if (known == null) {
                known = memory.get(question);
                if (known == null || left(known) <= minNanos) {
                    try {
                        known = ask(question);
                    } catch (IOException failed) {
                        if (known == null) {
                            throw failed;
                        }
                        problem = failed;
                    }
                }
                if (known == null) {
                    return List.of();
                }
                used.put(question, known);
            }
            if (left(known) > 0 && known.untilNanos - goodUntil < 0) {
                goodUntil = known.untilNanos;
            }
            return known.records;
        }

        private long left(Known known) {
            return known.untilNanos - clock.nanoTime();
        }

        private @Nullable Known ask(Question question) throws IOException {
            DnsAliases.Answer answer = aliases.ask(question.name, question.type);
            if (question.type == DnsMessage.SRV) {
                rememberAdditional(answer);
            }
            return answer.records().isEmpty() ? null : new Known(answer.records(), until(answer.ttlSeconds()));
        }

        private void rememberAdditional(DnsAliases.Answer answer) {
            for (DnsRecord record : answer.records()) {
                for (int type : types) {
                    List<DnsRecord> addresses = answer.additional().stream()
                            .filter(it -> it.type() == type && it.name().equals(record.target()))
                            .toList();
                    if (!addresses.isEmpty()) {
                        long ttl = addresses.stream()
                                .mapToLong(DnsRecord::ttlSeconds)
                                .min()
                                .getAsLong();
                        used.put(new Question(addresses.get(0).name(), type), new Known(addresses, until(ttl)));
                    }
                }
            }
        }

        private long until(long ttlSeconds) {
            return clock.nanoTime() + Math.max(minNanos, Math.min(maxNanos, ttlSeconds * NANOS_PER_SECOND));
        }
    }
}
