package dev.levee.simulator;

import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToLongFunction;
import java.util.random.RandomGenerator;

/** Calls that come from outside: each goes to one of the clients at random, with its own work and key. */
public final class Traffic {
    /** How long after the last arrival a call may still end before the run is over. */
    private static final long PATIENCE = 60 * VirtualTime.SECOND;

    private final VirtualTime time;
    private final Recorder recorder;
    private final Arrivals arrivals;

    /** Traffic without keys. */
    public Traffic(World world, List<? extends Client> clients, Recorder recorder, double perSecond, Work work) {
        this(world, clients, recorder, perSecond, work, random -> 0);
    }

    /** Traffic with keys. */
    public Traffic(
            World world,
            List<? extends Client> clients,
            Recorder recorder,
            double perSecond,
            Work work,
            ToLongFunction<RandomGenerator> keys) {
        this.time = world.time();
        this.recorder = recorder;
        SplittableRandom random = world.random("calls");
        this.arrivals = new Arrivals(world, perSecond, () -> {
            Client client = clients.get(random.nextInt(clients.size()));
            double workOfCall = work.draw(random);
            client.call(workOfCall, keys.applyAsLong(random));
        });
    }

    /** What makes the calls come: for another rate. */
    public Arrivals arrivals() {
        return arrivals;
    }

    /** Lets calls come until then, and waits for the answers; those that never come count as failures. */
    public void run(long end) {
        time.runUntil(end);
        arrivals.setRate(0);
        while (recorder.open() > 0 && time.step(end + PATIENCE)) {
            // the work is done by the events
        }
    }
}
