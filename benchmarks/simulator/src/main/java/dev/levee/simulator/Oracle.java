package dev.levee.simulator;

import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.Candidates;

/**
 * Joins the shortest expected delay: it looks into every server, sees the calls of all clients and the speed of this
 * moment, and takes the server that would answer a call of mean work first. No client can know that; it is the bound
 * that strategies are held against. O(n).
 */
public final class Oracle implements BalancingStrategy {
    private final double meanWork;

    /** An oracle for calls of that mean work. */
    public Oracle(double meanWork) {
        this.meanWork = meanWork;
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public Picker over(Candidates candidates) {
        Server[] servers = new Server[candidates.size()];
        for (int i = 0; i < servers.length; i++) {
            servers[i] = (Server) candidates.endpoint(i).address();
        }
        return hash -> {
            int best = candidates.random().nextInt(servers.length); // ties are broken at random
            double least = expected(servers[best]);
            for (int i = 0, at = best; i < servers.length; i++) {
                double delay = expected(servers[at]);
                if (delay < least) {
                    best = at;
                    least = delay;
                }
                at = at + 1 == servers.length ? 0 : at + 1;
            }
            return best;
        };
    }

    /** A call that fails must be made again elsewhere: so much worse is a server that fails some. */
    private double expected(Server server) {
        return server.failing() > 0 ? Double.MAX_VALUE : server.expectedNanos(meanWork);
    }

    @Override
    public String toString() {
        return "oracle";
    }
}
