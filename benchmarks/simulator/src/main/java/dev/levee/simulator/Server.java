package dev.levee.simulator;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.loadbalancing.strategy.ServerLoad;
import dev.levee.loadbalancing.strategy.ServerLoadRecorder;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A server: what it does with calls, how fast it is now, and what is wrong with it. The address of an endpoint. */
public abstract class Server {
    private final World world;
    private final VirtualTime time;
    private final String name;
    private final SplittableRandom random;
    private double failing;
    private long failingNanos;
    private long received;
    private int calls;
    private int mostCalls;

    /** The integral of calls over time. */
    private double callNanos;

    private long integratedTo;
    private @Nullable CallCache cache;
    private @Nullable ServerLoadRecorder recorder;
    private String zone = "";

    /** A server of speed 1 without faults. */
    protected Server(World world, String name) {
        this.world = world;
        this.time = world.time();
        this.name = name;
        this.random = world.random("server " + name);
    }

    /** Makes a share of the calls fail after a time, without touching a core: a server that has lost its database. */
    public final void fail(double share, long nanos) {
        failing = share;
        failingNanos = nanos;
    }

    /** Gives it a cache, which decides how much work a call is. */
    public final void cacheWith(CallCache answers) {
        cache = answers;
    }

    /** A call has come in. */
    final void receive(Call call) {
        received++;
        integrate();
        calls++;
        mostCalls = Math.max(mostCalls, calls);
        if (world.isReportingLoad()) {
            call.arrived = time.nanoTime();
            call.stamp = recorder().tryEnter(call.arrived);
        }
        if (failing > 0 && random.nextDouble() < failing) {
            call.serveFor(time, failingNanos, false);
            return;
        }
        if (cache != null) {
            call.work = cache.workOf(call.key);
        }
        accept(call);
    }

    /** A call whose own event was its end has ended. */
    final void finished(Call call, boolean success) {
        if (success) {
            ended(call);
        }
    }

    /** A call is no longer here. */
    final void left(Call call, boolean success) {
        integrate();
        calls--;
        if (world.isReportingLoad()) {
            Verdict verdict = success ? Verdict.SUCCESS : Verdict.FAILURE;
            recorder().exit(call.stamp, call.arrived, time.nanoTime(), verdict, RefusedException.UNKNOWN);
            call.reportLoad(recorder().load());
        }
    }

    /** What it would say about its load if it were probed now. */
    public final ServerLoad load() {
        return recorder().load();
    }

    private ServerLoadRecorder recorder() {
        ServerLoadRecorder found = recorder;
        if (found == null) {
            found = ServerLoadRecorder.of(name, OutcomeRule.standard(), world.environment("load of " + name));
            recorder = found;
        }
        return found;
    }

    private void integrate() {
        callNanos += (double) calls * (time.now() - integratedTo);
        integratedTo = time.now();
    }

    /** Serves a call, now or later. */
    protected abstract void accept(Call call);

    /** A call that was served by {@link Call#serveFor} has ended well. */
    protected void ended(Call call) {}

    /** Sets how much work it does in a second, relative to speed 1; 0 stops it. */
    public abstract void setSpeed(double speed);

    /** What a call of that much work would take if it came now and nothing changed: what the oracle knows. */
    public abstract double expectedNanos(double work);

    /** Its time. */
    protected final VirtualTime time() {
        return time;
    }

    /** Puts it into a zone. */
    public final void moveTo(String value) {
        zone = value;
    }

    /** The zone that it is in. */
    public final String zone() {
        return zone;
    }

    /** What it is known by. */
    public final String name() {
        return name;
    }

    /** How many calls it has, waiting ones too. */
    public final int calls() {
        return calls;
    }

    /** The most calls that it had at a time. */
    public final int mostCalls() {
        return mostCalls;
    }

    /** How many calls have come. */
    public final long received() {
        return received;
    }

    /** The integral of its calls over time so far, in call-nanoseconds. */
    public final double callNanos() {
        integrate();
        return callNanos;
    }

    /** The share of calls that fail now. */
    public final double failing() {
        return failing;
    }

    @Override
    public final String toString() {
        return name;
    }
}
