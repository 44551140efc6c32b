package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.Engines;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.Without;
import dev.levee.examples.shortlink.cluster.Cluster;
import dev.levee.examples.shortlink.cluster.Events;
import dev.levee.examples.shortlink.front.FrontServer;
import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * The smoke test of a service that runs on Redis, on replicas, or on both: these die, and are late. The primary lives
 * all the time, so every redirect could be answered.
 */
public final class EngineSmoke {
    // The schedule, in seconds since the start of the load. What is not there does not break.
    private static final int COUNT_FROM = 10;
    private static final int NODE_DIES = 12;
    private static final int NODE_RETURNS = 15;
    private static final int REDIS_DIES = 18;
    private static final int REDIS_RETURNS = 22;
    private static final int REPLICA_DIES = 25;
    private static final int REPLICA_RETURNS = 29;
    private static final int REPLICA_PAUSES = 32;
    private static final int REPLICA_GOES_ON = 36;
    private static final int END = 40;

    private static final int VICTIM = 1;

    /** Half of what three processes and H2 are given: here there are ten, and two cores have to be enough for them. */
    private static final int RATE = Workload.RATE / 2;

    /** A front asks a Redis that is away again after five seconds and a quarter of that at most. */
    private static final long FOUND_NANOS = TimeUnit.MILLISECONDS.toNanos(6_500);

    /** Of the redirects. */
    private static final double MIN_ANSWERED = 0.99;

    /** What a limit does not refuse is judged; what it does says that it was reached. */
    private static final double MIN_GREED = 0.4;

    private final Cluster cluster;
    private final Engines engines;
    private final Events events;
    private final FaultLog faults = new FaultLog();
    private final List<Phase> phases = new ArrayList<>();
    private final long start = System.nanoTime();
    private long redisDiedNanos;
    private long redisIsBackNanos;

    /** What was broken last, and since when. */
    private record Phase(String name, long from) {}

    private EngineSmoke(Cluster cluster, Engines engines, Events events) {
        this.cluster = cluster;
        this.engines = engines;
        this.events = events;
    }

    /**
     * Runs the smoke test, and prints its report.
     *
     * @param urls the well-known URLs
     * @param without what is taken out
     * @param engines which servers the service runs on
     * @return the exit status: 0 if all is as it must be, 1 if not, 3 if answers were late and the machine stalled, so
     *     that it cannot be known why
     * @throws UsageException if the cluster does not start
     * @throws InterruptedException if the thread is interrupted
     */
    public static int run(List<String> urls, Without without, Engines engines)
            throws UsageException, InterruptedException {
        Events events = new Events(System.out);
        Report report = new Report();
        Path data = TemporaryFolder.passable();
        Workload workload = Workload.of(urls, RATE, seconds(END), 0);
        try (Cluster cluster = Cluster.start(0, data, workload.stored(), without, engines, events)) {
            new EngineSmoke(cluster, engines, events).run(workload, without, report);
        } finally {
            TemporaryFolder.delete(data);
        }
        report.put("redis", engines.redis());
        report.put("replicas", engines.replicas());
        report.put("without", without.label());
        return Smoke.conclude(report);
    }

    private void run(Workload workload, Without without, Report report) throws UsageException {
        events.say("load: " + workload.requests().size() + " requests in " + END + " s");
        CompletableFuture<Void> script = CompletableFuture.runAsync(this::breakThings);
        LoadDriver driver = new LoadDriver(cluster.fronts(), engines.replicas());
        StallMeter stalls = StallMeter.start(start);
        List<Outcome> outcomes = driver.run(workload.requests(), start);
        stalls.close();
        try {
            script.join();
        } catch (CompletionException e) {
            throw new UsageException("a fault could not be made: " + e.getCause());
        }
        List<Outcome> counted = outcomes.stream()
                .filter(outcome -> outcome.request().atNanos() >= seconds(COUNT_FROM))
                .toList();
        Judge judge = new Judge(outcomes, faults);
        judge.report(counted, report);
        failedWhile(counted, judge, report);
        report.put(
                "redirectsRefused",
                count(counted, outcome -> outcome.request().kind().isRedirect() && outcome.status() == 429));
        LostLinks links =
                LostLinks.search(outcomes, driver, () -> events.stillOpen().isEmpty());
        report.put("acknowledgedLinks", links.acknowledged());
        report.put("lostLinks", links.lost());
        LostClicks clicks = LostClicks.search(outcomes, cluster.database());
        report.put("countedClicks", clicks.counted());
        report.put("lostClicks", clicks.lost());
        report.put("ownReads", count(outcomes, outcome -> outcome.request().kind() == Kind.OWN));
        report.put("ownReadsWrong", count(outcomes, EngineSmoke::isWrongOwnRead));
        report.put("linksWithoutSession", driver.withoutSession());
        LimitCheck.of(outcomes, FrontServer.clientLimit(), Request::client).report(report);
        if (engines.redis()) {
            report.put("clientsAboveShared", aboveShared(outcomes));
        }
        report.put("breakerOpened", events.opened());
        report.put("breakerClosed", events.closed());
        report.put("stalledMs", stalls.stalledMillis());
        require(report, without);
        requireInTime(report, judge, counted, stalls);
    }

    /** How many redirects failed from each fault to the next one: where to look, if they are too many. */
    private void failedWhile(List<Outcome> counted, Judge judge, Report report) {
        for (int i = 0; i < phases.size(); i++) {
            long from = phases.get(i).from();
            long to = i + 1 < phases.size() ? phases.get(i + 1).from() : Long.MAX_VALUE;
            report.put(
                    "redirectsFailed" + phases.get(i).name(),
                    count(
                            counted,
                            outcome -> outcome.request().kind().isRedirect()
                                    && outcome.request().atNanos() >= from
                                    && outcome.request().atNanos() < to
                                    && judge.judge(outcome) == Judge.Verdict.FAILED));
        }
    }

    /** While Redis answers fronts give a client no more than it says, before its death and after its return. */
    private int aboveShared(List<Outcome> outcomes) {
        List<Outcome> before = outcomes.stream()
                .filter(outcome -> outcome.endNanos() < redisDiedNanos)
                .toList();
        List<Outcome> after = outcomes.stream()
                .filter(outcome -> outcome.request().atNanos() >= redisIsBackNanos + FOUND_NANOS)
                .toList();
        return LimitCheck.of(before, FrontServer.sharedClientLimit(), Request::client)
                        .above()
                + LimitCheck.of(after, FrontServer.sharedClientLimit(), Request::client)
                        .above();
    }

    /** What is not there, or not what was made: an answer that says so, and not one that says nothing. */
    private static boolean isWrongOwnRead(Outcome outcome) {
        return outcome.request().kind() == Kind.OWN
                && !outcome.isRight()
                && (outcome.status() == 404 || outcome.status() == 302);
    }

    private static long count(List<Outcome> outcomes, Predicate<Outcome> which) {
        return outcomes.stream().filter(which).count();
    }

    private void require(Report report, Without without) {
        report.require(report.get("lostLinks") == 0, "an acknowledged link does not resolve");
        report.require(report.get("lostClicks") == 0, "a click that was counted is not in the database");
        report.require(
                without == Without.RATELIMIT || report.get("clientsAboveLimit") == 0,
                "a client was admitted more often than its limit says");
        report.require(
                without == Without.RATELIMIT
                        || (report.get("refusedByRateLimit") > 0 && report.get("mostOfLimit") >= MIN_GREED),
                "no client came near its limit: it says nothing");
        report.require(
                report.get("idempotentWrong") == 0,
                "a repeat with the same key got another answer than the first request, or was done again");
        report.require(report.get("nodesKilled") == 1, "no node was killed");
        report.require(events.stillOpen().isEmpty(), "still open: " + events.stillOpen());
        if (engines.redis()) {
            report.require(
                    without == Without.RATELIMIT || report.get("clientsAboveShared") == 0,
                    "a client was admitted more often than the limit that the fronts share says");
        }
        if (engines.replicas()) {
            report.require(report.get("ownReads") > 0, "no link was read by the client that had made it");
            report.require(report.get("ownReadsWrong") == 0, "a client did not see the link that it had made");
            report.require(report.get("linksWithoutSession") == 0, "a link was made without a session for its client");
        }
    }

    private static void requireInTime(Report report, Judge judge, List<Outcome> counted, StallMeter stalls) {
        Report undisturbed = new Report();
        judge.report(
                counted.stream().filter(outcome -> !stalls.mayExplain(outcome)).toList(), undisturbed);
        report.requireInTime(
                it -> Judge.enoughAnswered(it, MIN_ANSWERED),
                undisturbed,
                "fewer than 99 % of the redirects that could be answered were");
    }

    private void breakThings() {
        try {
            begin("Before", COUNT_FROM, "from now on it counts");
            events.reset();
            long from = begin("NodeDead", NODE_DIES, "node-2 is killed (SIGKILL)");
            String victim = cluster.incarnation(VICTIM);
            cluster.killNode(VICTIM);
            faults.nodeDied(victim, from);
            at(NODE_RETURNS, "node-2 starts again");
            cluster.startNode(VICTIM);
            faults.fault(from, now());
            if (engines.redis()) {
                redisDiedNanos = begin("RedisDead", REDIS_DIES, "Redis is killed (SIGKILL)");
                cluster.killRedis();
                at(REDIS_RETURNS, "Redis starts again, empty");
                cluster.startRedis();
                redisIsBackNanos = now();
                faults.fault(redisDiedNanos, redisIsBackNanos);
                faults.limitsRefill(redisDiedNanos, redisIsBackNanos + FOUND_NANOS);
            }
            if (engines.replicas()) {
                from = begin("ReplicaDead", REPLICA_DIES, "the replica is killed (SIGKILL)");
                cluster.killReplica();
                at(REPLICA_RETURNS, "the replica starts again");
                cluster.startReplica();
                faults.fault(from, now());
                from = begin("ReplicaPaused", REPLICA_PAUSES, "the replica takes up nothing more of what is written");
                cluster.setReplayed(false);
                at(REPLICA_GOES_ON, "the replica goes on");
                cluster.setReplayed(true);
                faults.fault(from, now());
            }
            begin("After", REPLICA_GOES_ON, "nothing is broken any more");
            at(END, "the load ends");
        } catch (UsageException | InterruptedException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    private long begin(String phase, int second, String what) throws InterruptedException {
        long now = at(second, what);
        phases.add(new Phase(phase, now));
        return now;
    }

    private long at(int second, String what) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(seconds(second) - now());
        events.say("-- " + what);
        return now();
    }

    private long now() {
        return System.nanoTime() - start;
    }

    private static long seconds(int seconds) {
        return TimeUnit.SECONDS.toNanos(seconds);
    }
}
