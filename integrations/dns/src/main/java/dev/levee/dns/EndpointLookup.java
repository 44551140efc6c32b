package dev.levee.dns;

import dev.levee.core.NanoClock;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.WarnedSubjects;
import dev.levee.dns.DnsConfig.Family;
import dev.levee.dns.RecordLookup.RecordSet;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.PollResult;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.Type;

/**
 * Finds endpoints in DNS: the addresses of a host, or the targets of a service (A. Gulbrandsen, P. Vixie, L. Esibov, "A
 * DNS RR for specifying the location of services", RFC 2782, 2000) and their addresses. See ADR 57 (before: 47).
 *
 * <p>The last good answer to each question is kept. One that is still valid is not asked for again, and where no answer
 * comes the last one stays, for that question alone: a target that cannot be looked up keeps its addresses while the
 * others are updated, and no failure empties the set.
 *
 * <p>Names and families are tried in order. "There is none" leads on to the next one, and so does a server that cannot
 * answer for this name ({@code SERVFAIL}): the machine's own resolver does the same. Silence of all servers does not,
 * since the next question would meet it too; then only the name as it is, without a suffix, is still tried.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc2782">RFC 2782</a>
 */
final class EndpointLookup implements Callable<PollResult<InetSocketAddress>> {
    /** The label that names the target of an SRV record. */
    static final String HOST = "host";

    /** What SRV calls 0 is a small share and not a drain: a tenth of the least that it can say otherwise. */
    static final double SMALL_WEIGHT = 0.1;

    /** A port: that of each record. */
    static final int PORT_OF_RECORD = 0;

    /** How long the machine's own list is used without reading it again. */
    static final long HOSTS_FILE_SECONDS = 30;

    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final int TIMEOUTS_PER_LOOKUP = 5;

    private static final Comparator<InetAddress> BY_BYTES =
            (one, other) -> Arrays.compareUnsigned(one.getAddress(), other.getAddress());

    private static final Comparator<SRVRecord> BY_TARGET = Comparator.comparingInt(SRVRecord::getPriority)
            .thenComparing(SRVRecord::getTarget)
            .thenComparingInt(SRVRecord::getPort)
            .thenComparingInt(SRVRecord::getWeight);

    private record Question(Name name, int type) {}

    private record KnownAnswer(List<Record> records, long validUntilNanos) {}

    /** Finds what one of the names that a short name may stand for has. */
    @FunctionalInterface
    private interface CandidateLookup<T> {
        List<T> find(Name candidate) throws IOException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(DnsEndpoints.class);
    private static final WarnedSubjects CUT = new WarnedSubjects();

    private final String name;
    private final int port;
    private final Supplier<NameService> services;
    private final Function<String, List<InetAddress>> hosts;
    private final NanoClock clock;
    private final List<Integer> types;
    private final boolean firstFamilyOnly;
    private final long minNanos;
    private final long maxNanos;
    private final long timeoutNanos;
    private final int maxEndpoints;

    /** Of the poll that runs: handed on from one to the next by scheduler and executor. */
    private Map<Question, KnownAnswer> memory = Map.of();

    /** Until when the last result is valid, if it was complete: a call before is a request to ask again. */
    private long validUntilNanos;

    private boolean complete;

    EndpointLookup(
            String name,
            int port,
            DnsConfig config,
            Supplier<NameService> services,
            Function<String, List<InetAddress>> hosts,
            NanoClock clock) {
        this.name = name;
        this.port = port;
        this.services = services;
        this.hosts = hosts;
        this.clock = clock;
        this.types = types(config.family());
        this.firstFamilyOnly = config.family() != Family.BOTH;
        this.minNanos = Nanos.of(config.minTtl());
        this.maxNanos = Nanos.of(config.maxTtl());
        this.timeoutNanos = Nanos.of(config.timeout());
        this.maxEndpoints = config.maxEndpoints();
    }

    private static Map<Integer, Integer> ranks(List<SRVRecord> records) {
        Map<Integer, Integer> ranks = new HashMap<>();
        for (int priority :
                new TreeSet<>(records.stream().map(SRVRecord::getPriority).toList())) {
            ranks.put(priority, ranks.size());
        }
        return ranks;
    }

    private static List<Integer> types(Family family) {
        return switch (family) {
            case IPV4 -> List.of(Type.A);
            case IPV6 -> List.of(Type.AAAA);
            case PREFER_IPV4, BOTH -> List.of(Type.A, Type.AAAA);
            case PREFER_IPV6 -> List.of(Type.AAAA, Type.A);
        };
    }

    @Override
    public PollResult<InetSocketAddress> call() throws IOException {
        boolean early = complete && clock.nanoTime() - validUntilNanos < 0;
        complete = false;
        LookupRun run = new LookupRun(services.get(), early);
        List<Endpoint<InetSocketAddress>> endpoints = port == PORT_OF_RECORD ? run.targets() : run.addresses();
        memory = run.used;
        long now = clock.nanoTime();
        long validNanos = Math.max(minNanos, Math.min(maxNanos, run.validUntilNanos - now));
        validUntilNanos = now + validNanos;
        complete = run.problem == null;
        PollResult<InetSocketAddress> result = PollResult.of(endpoints, Duration.ofNanos(validNanos));
        return run.problem == null ? result : result.withProblem(run.problem);
    }

    /** One look-up, of one or more questions. */
    private final class LookupRun {
        final Map<Question, KnownAnswer> used = new LinkedHashMap<>();
        private final ResolverSettings settings;
        private final RecordLookup lookup;
        /** Whether answers that are still valid are asked for again. */
        private final boolean anew;

        long validUntilNanos;

        @Nullable IOException problem;

        LookupRun(NameService service, boolean anew) {
            long now = clock.nanoTime();
            this.anew = anew;
            this.settings = service.settings();
            this.lookup = new RecordLookup(service.exchange(), now + Nanos.multiply(timeoutNanos, TIMEOUTS_PER_LOOKUP));
            this.validUntilNanos = now + maxNanos;
        }

        List<Endpoint<InetSocketAddress>> addresses() throws IOException {
            List<InetAddress> found = ofHostsFile();
            if (!found.isEmpty()) {
                validUntilNanos = validUntil(HOSTS_FILE_SECONDS);
            } else {
                found = ofFirstCandidate("addresses", this::addressesOf);
            }
            List<Endpoint<InetSocketAddress>> endpoints = new ArrayList<>();
            first(found, maxEndpoints, BY_BYTES)
                    .forEach(address -> endpoints.add(Endpoint.of(new InetSocketAddress(address, port))));
            return endpoints;
        }

        private List<InetAddress> ofHostsFile() {
            List<InetAddress> all = hosts.apply(name);
            List<InetAddress> wanted = new ArrayList<>();
            for (int type : types) {
                if (wanted.isEmpty() || !firstFamilyOnly) {
                    all.stream()
                            .filter(it -> it instanceof Inet4Address == (type == Type.A))
                            .forEach(wanted::add);
                }
            }
            return wanted;
        }

        List<Endpoint<InetSocketAddress>> targets() throws IOException {
            List<SRVRecord> records = ofFirstCandidate("SRV records", candidate -> {
                List<SRVRecord> found = new ArrayList<>();
                for (Record record : answer(new Question(candidate, Type.SRV))) {
                    if (record instanceof SRVRecord srv) {
                        found.add(srv);
                    }
                }
                return found;
            });
            boolean byRank = records.stream().anyMatch(record -> record.getPriority() > Endpoint.LAST_PRIORITY);
            Map<Integer, Integer> ranks = ranks(records);
            List<Endpoint<InetSocketAddress>> endpoints = new ArrayList<>();
            for (SRVRecord record : first(records, maxEndpoints, BY_TARGET)) {
                int priority = byRank
                        ? Math.min(ranks.getOrDefault(record.getPriority(), 0), Endpoint.LAST_PRIORITY)
                        : record.getPriority();
                addTarget(record, priority, endpoints);
            }
            if (endpoints.isEmpty()) {
                throw problem != null ? problem : new UnknownHostException(name + " has no target with an address");
            }
            return endpoints;
        }

        private <T> List<T> ofFirstCandidate(String kind, CandidateLookup<T> candidates) throws IOException {
            Name plain = DnsNames.absolute(DnsNames.ascii(name));
            IOException failure = null;
            boolean silent = false;
            for (String candidate : settings.candidates(name)) {
                Name absolute = DnsNames.absolute(candidate);
                if (silent && !absolute.equals(plain)) {
                    continue;
                }
                try {
                    List<T> found = candidates.find(absolute);
                    if (!found.isEmpty()) {
                        return found;
                    }
                } catch (IOException failed) {
                    failure = failure == null ? failed : failure;
                    silent |= !(failed instanceof ServerFailureException);
                }
            }
            throw failure != null ? failure : new UnknownHostException(name + " has no " + kind);
        }

        /** A target of which nothing is known is left out; the others do not wait for it. */
        private void addTarget(SRVRecord record, int priority, List<Endpoint<InetSocketAddress>> endpoints) {
            Name target = record.getTarget();
            if (target.equals(Name.root) || record.getPort() == 0) { // RFC 2782: "." says that there is none
                return;
            }
            if (endpoints.size() >= maxEndpoints) {
                warnOfCut();
                return;
            }
            List<InetAddress> addresses;
            try {
                addresses = first(addressesOf(target), maxEndpoints - endpoints.size(), BY_BYTES);
            } catch (IOException failed) {
                problem = failed;
                return;
            }
            double weight =
                    (record.getWeight() == 0 ? SMALL_WEIGHT : record.getWeight()) / Math.max(1, addresses.size());
            for (InetAddress address : addresses) {
                endpoints.add(Endpoint.of(new InetSocketAddress(address, record.getPort()), weight)
                        .withPriority(priority)
                        .withLabel(HOST, DnsNames.text(target)));
            }
        }

        private List<InetAddress> addressesOf(Name host) throws IOException {
            Set<InetAddress> addresses = new LinkedHashSet<>();
            IOException failure = null;
            for (int type : types) {
                try {
                    answer(new Question(host, type)).forEach(record -> addAddress(record, addresses));
                } catch (IOException failed) {
                    if (firstFamilyOnly && !(failed instanceof ServerFailureException)) {
                        throw failed;
                    }
                    failure = failure == null ? failed : failure;
                }
                if (firstFamilyOnly && !addresses.isEmpty()) {
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

        /** Adds the address without the name that dnsjava gives it: an endpoint is known by the text of its address. */
        private static void addAddress(Record record, Set<InetAddress> addresses) {
            InetAddress named = record instanceof ARecord four
                    ? four.getAddress()
                    : record instanceof AAAARecord six ? six.getAddress() : null;
            if (named != null) {
                try {
                    addresses.add(InetAddress.getByAddress(named.getAddress()));
                } catch (UnknownHostException impossible) {
                    throw new AssertionError(impossible);
                }
            }
        }

        /**
         * Returns the answer that is still valid, else a new one, else the last one; empty if DNS says that there is
         * none.
         */
        private List<Record> answer(Question question) throws IOException {
            KnownAnswer known = used.get(question);
            if (known == null) {
                known = memory.get(question);
                if (known == null || anew || nanosLeft(known) <= minNanos) {
                    try {
                        known = query(question);
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
            if (nanosLeft(known) > 0 && known.validUntilNanos - validUntilNanos < 0) {
                validUntilNanos = known.validUntilNanos;
            }
            return known.records;
        }

        private long nanosLeft(KnownAnswer known) {
            return known.validUntilNanos - clock.nanoTime();
        }

        private @Nullable KnownAnswer query(Question question) throws IOException {
            RecordSet found = lookup.find(question.name, question.type);
            if (question.type == Type.SRV) {
                rememberAdditional(found);
            }
            return found.records().isEmpty() ? null : new KnownAnswer(found.records(), validUntil(found.ttlSeconds()));
        }

        /** Addresses of the targets that came with the SRV records need no question of their own. */
        private void rememberAdditional(RecordSet found) {
            Set<Name> targets = new HashSet<>();
            found.records().forEach(record -> targets.add(((SRVRecord) record).getTarget()));
            Map<Question, List<Record>> came = new LinkedHashMap<>();
            for (Record record : found.additional()) {
                if (types.contains(record.getType()) && targets.contains(record.getName())) {
                    came.computeIfAbsent(new Question(record.getName(), record.getType()), key -> new ArrayList<>())
                            .add(record);
                }
            }
            came.forEach((question, addresses) -> {
                long ttl = RecordLookup.ttlSeconds(addresses.get(0));
                for (Record address : addresses) {
                    ttl = Math.min(ttl, RecordLookup.ttlSeconds(address));
                }
                used.put(question, new KnownAnswer(addresses, validUntil(ttl)));
            });
        }

        /** Returns the first ones in an order that does not depend on the answer, and warns if there are more. */
        private <T> List<T> first(List<T> all, int size, Comparator<? super T> order) {
            if (all.size() > size) {
                warnOfCut();
            }
            return all.stream().sorted(order).limit(size).toList();
        }

        private void warnOfCut() {
            if (CUT.add(name)) {
                SafeLog.warn(
                        LOG,
                        "Endpoints from {} {}: DNS has more than {}, the rest is left out; see maxEndpoints",
                        port == PORT_OF_RECORD ? "srv" : "dns",
                        port == PORT_OF_RECORD ? name : name + ":" + port,
                        maxEndpoints);
            }
        }

        private long validUntil(long ttlSeconds) {
            return clock.nanoTime() + Math.max(minNanos, Math.min(maxNanos, ttlSeconds * NANOS_PER_SECOND));
        }
    }
}
