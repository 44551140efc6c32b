package dev.levee.ratelimit.shared;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.LongSupplier;

/** The rules of {@link PermitStore}, as a model and for tests. Thread-safe. */
final class MemoryPermitStore implements PermitStore {
    private final LongSupplier clock;
    private final Map<String, Shared> all = new HashMap<>();
    private long markNanos;
    private long asked;

    /** What becomes of a renewal: null to fail it. */
    private volatile Function<PermitRequest, CompletableFuture<PermitLease>> way = this::answer;

    MemoryPermitStore(LongSupplier clock) {
        this.clock = clock;
        this.markNanos = clock.getAsLong() - (1L << 60);
    }

    @Override
    public CompletableFuture<PermitLease> renew(PermitRequest request) {
        return way.apply(request);
    }

    void be(Function<PermitRequest, CompletableFuture<PermitLease>> otherWay) {
        way = otherWay;
    }

    void work() {
        way = this::answer;
    }

    void fail() {
        way = request -> CompletableFuture.failedFuture(new IllegalStateException("gone"));
    }

    CompletableFuture<PermitLease> answer(PermitRequest request) {
        return CompletableFuture.completedFuture(decide(request));
    }

    synchronized long asked() {
        return asked;
    }

    synchronized void forget() {
        all.clear();
        markNanos = clock.getAsLong();
    }

    synchronized int leased(String bulkhead) {
        long now = clock.getAsLong();
        return all.get(bulkhead).holders.values().stream()
                .filter(it -> it.end - now > 0)
                .mapToInt(it -> it.permits)
                .sum();
    }

    private synchronized PermitLease decide(PermitRequest request) {
        asked++;
        long now = clock.getAsLong();
        Shared shared = all.computeIfAbsent(request.bulkhead(), name -> new Shared());
        Holder own = shared.holders.get(request.node());
        shared.holders.values().removeIf(it -> it.end - now <= 0);
        boolean lives = shared.holders.containsKey(request.node());
        int others = shared.holders.size() - (lives ? 1 : 0);
        int code = 0;
        int limit = request.limit();
        long life = request.lifeNanos();
        long revision = request.revision();
        if (shared.revision >= 0 && !shared.holders.isEmpty()) {
            if (revision < shared.revision) {
                code = 1;
            } else if (revision == shared.revision && others > 0 && (limit != shared.limit || life != shared.life)) {
                code = 2;
            }
            if (code > 0) {
                limit = shared.limit;
                life = shared.life;
                revision = shared.revision;
            }
        }
        TreeMap<String, Holder> nodes = new TreeMap<>(shared.holders);
        Holder me = new Holder(request.sequence(), now + life, 0, request.needed(), request.wanted());
        nodes.put(request.node(), me);
        divide(nodes, limit, Math.floorDiv(now, life));
        if (own != null && own.sequence >= request.sequence()) {
            return new PermitLease(lives ? own.permits : 0, me.share, nodes.size(), limit, life, revision, code == 2);
        }
        if (code == 2) {
            return new PermitLease(0, me.share, nodes.size(), limit, life, revision, true);
        }
        int taken = shared.holders.entrySet().stream()
                .filter(it -> !it.getKey().equals(request.node()))
                .mapToInt(it -> it.getValue().permits)
                .sum();
        int base = Math.min(request.held(), lives ? own.permits : 0);
        int free = limit - taken - base;
        int permits = base + Math.max(0, Math.min(request.held() - base, free));
        free -= permits - base;
        if (now - markNanos >= life) {
            permits += Math.max(0, Math.min(me.share - permits, free));
        }
        me.permits = permits;
        shared.limit = limit;
        shared.life = life;
        shared.revision = revision;
        shared.holders.put(request.node(), me);
        return new PermitLease(permits, me.share, nodes.size(), limit, life, revision, false);
    }

    private static void divide(Map<String, Holder> nodes, int limit, long slot) {
        int place = 0;
        for (Holder each : nodes.values()) {
            each.share = 0;
            each.turn = (++place + slot) % nodes.size();
        }
        int left = divide(new ArrayList<>(nodes.values()), limit, it -> it.needed);
        divide(new ArrayList<>(nodes.values()), left, it -> it.wanted - it.needed);
    }

    private static int divide(List<Holder> nodes, int amount, Function<Holder, Integer> of) {
        nodes.sort(Comparator.comparing(of).thenComparing(it -> it.turn));
        int left = amount;
        for (int i = 0; i < nodes.size(); i++) {
            int part = Math.min(of.apply(nodes.get(i)), left / (nodes.size() - i));
            nodes.get(i).share += part;
            left -= part;
        }
        return left;
    }

    private static final class Shared {
        private final Map<String, Holder> holders = new HashMap<>();
        private int limit;
        private long life;
        private long revision = -1;
    }

    private static final class Holder {
        private final long sequence;
        private final long end;
        private int permits;
        private final int needed;
        private final int wanted;
        private int share;
        private long turn;

        Holder(long sequence, long end, int permits, int needed, int wanted) {
            this.sequence = sequence;
            this.end = end;
            this.permits = permits;
            this.needed = needed;
            this.wanted = wanted;
        }
    }
}
