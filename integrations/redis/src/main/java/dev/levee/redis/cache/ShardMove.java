package dev.levee.redis.cache;

import dev.levee.loadbalancing.hash.ShardPlan;
import dev.levee.redis.cache.TierServers.Shards;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The move of the keys of a {@link TwoTierCache} to another set of servers, in three steps that each process does:
 *
 * <pre>{@code
 * ShardMove move = cache.moveTo(servers);   // 1  reads here, changes are told to both owners of a key
 * move.readNext();                          // 2  reads there, changes are told to both
 * move.end();                               // 3  reads there, changes are told there
 * }</pre>
 *
 * <p><b>A process may do a step only when all have done the one before.</b> Then two processes are never more than one
 * step apart, and each change is told to each server that some process reads: at step 1 all read the servers from
 * before, at step 2 all tell both. What moves is what {@link #plan} says, and nothing else is loaded anew. Values are
 * not copied: those that move are loaded from the store when they are read, each by one load for all processes.
 *
 * <p>Old copies are never read again. Before a process tells a server of changes of keys that move there, it deletes
 * what the server may have of them from an earlier time at which they were there; nothing is put there before step 2.
 * Thread-safe; see ADR 152.
 *
 * @since 0.1
 */
public final class ShardMove {
    private final ShardPlan plan;
    private final String cache;
    private final Shards next;
    private final TierServers servers;
    private final Runnable dropNear;
    /** How many steps were done. */
    private final AtomicInteger steps = new AtomicInteger(1);

    private ShardMove(String cache, ShardPlan plan, Shards next, TierServers servers, Runnable dropNear) {
        this.cache = cache;
        this.plan = plan;
        this.next = next;
        this.servers = servers;
        this.dropNear = dropNear;
    }

    static ShardMove begun(String cache, Shards before, Shards next, TierServers servers, Runnable dropNear) {
        ShardPlan plan = before.map().planTo(next.map());
        boolean emptied = false;
        try {
            for (String to :
                    plan.moves().stream().map(ShardPlan.Move::to).distinct().toList()) {
                TierNode node = next.of(to);
                node.delete(key -> !before.map().shardOf(key).equals(to));
            }
            emptied = true;
        } catch (TierGoneException gone) {
            throw new IllegalStateException(
                    "cache \"" + cache + "\": a server could not be emptied of keys that move there", gone);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("cache \"" + cache + "\": interrupted before keys could move", interrupted);
        } finally {
            if (!emptied) {
                servers.abandonMove();
            }
        }
        return new ShardMove(cache, plan, next, servers, dropNear);
    }

    /**
     * Returns which slots move from which server to which.
     *
     * @return the plan
     */
    public ShardPlan plan() {
        return plan;
    }

    /**
     * Reads and fills the new set of servers from now on. To be called when all processes have begun the move. Does not
     * block.
     *
     * @throws IllegalStateException if this has been done
     */
    public void readNext() {
        step(1, () -> servers.switchReads(next));
        dropNear.run(); // the positions of what is near are those of other servers
    }

    /**
     * Ends the move: the servers that are no longer in the set are told of nothing any more, and their connections are
     * closed; their clients are the caller's to close. To be called when all processes read the new set. Does not
     * block.
     *
     * @throws IllegalStateException if {@link #readNext} has not been called, or this has
     */
    public void end() {
        step(2, () -> servers.endMove(next));
    }

    private void step(int after, Runnable change) {
        if (!steps.compareAndSet(after, after + 1)) {
            throw new IllegalStateException("cache \"" + cache + "\": the steps of a move are moveTo, readNext, end,"
                    + " and " + steps.get() + " of them were done");
        }
        change.run();
    }

    @Override
    public String toString() {
        return "move of cache \"" + cache + "\", step " + steps.get() + ": " + plan;
    }
}
