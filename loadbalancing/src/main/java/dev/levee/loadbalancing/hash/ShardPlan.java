package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The slots that move from one {@link ShardMap} to another. Immutable and thread-safe.
 *
 * @since 0.1
 */
public final class ShardPlan {
    private final List<Move> moves;
    /** Maps keys to slots. */
    private final ShardMap map;

    private final BitSet moving;

    private ShardPlan(List<Move> moves, ShardMap map) {
        this.moves = moves;
        this.map = map;
        this.moving = new BitSet(map.slots());
        moves.forEach(move -> move.slots().forEach(moving::set));
    }

    /**
     * Slots that one shard hands over to another.
     *
     * @param from the shard that has them before
     * @param to the shard that has them after
     * @param slots their numbers, ascending, at least one
     * @since 0.1
     */
    public record Move(String from, String to, List<Integer> slots) {
        /**
         * A move.
         *
         * @param from the shard that has them before
         * @param to the shard that has them after
         * @param slots their numbers
         * @throws NullPointerException if an argument is null
         */
        public Move {
            Require.nonNull("from", from);
            Require.nonNull("to", to);
            slots = List.copyOf(slots);
        }
    }

    static ShardPlan between(ShardMap before, ShardMap after, int copies) {
        if (before.slots() != after.slots()) {
            throw new IllegalArgumentException(
                    "the maps must have the same number of slots, but had " + before.slots() + " and " + after.slots());
        }
        Map<String, Map<String, List<Integer>>> moves = new TreeMap<>();
        for (int slot = 0; slot < before.slots(); slot++) {
            List<String> had = holders(before, slot, copies);
            List<String> has = holders(after, slot, copies);
            List<String> losing = new ArrayList<>(had);
            losing.removeAll(has);
            for (String to : has) {
                if (!had.contains(to)) {
                    String from = losing.isEmpty() ? had.get(0) : losing.remove(0);
                    moves.computeIfAbsent(from, id -> new TreeMap<>())
                            .computeIfAbsent(to, id -> new ArrayList<>())
                            .add(slot);
                }
            }
        }
        List<Move> list = new ArrayList<>();
        moves.forEach((from, targets) -> targets.forEach((to, slots) -> list.add(new Move(from, to, slots))));
        return new ShardPlan(List.copyOf(list), before);
    }

    private static List<String> holders(ShardMap map, int slot, int copies) {
        return copies == 1 ? List.of(map.shardOfSlot(slot)) : map.replicasOfSlot(slot, copies);
    }

    /**
     * Returns which shard hands which slots to which other shard.
     *
     * @return the moves, in the order of the ids
     */
    public List<Move> moves() {
        return moves;
    }

    /**
     * Returns how much moves.
     *
     * @return the slots of which a copy moves, by all slots
     */
    public double share() {
        return moving.cardinality() / (double) map.slots();
    }

    /**
     * Returns whether a slot moves, or a copy of it.
     *
     * @param slot from 0 to the number of slots less 1
     * @return whether it moves
     */
    public boolean movesSlot(int slot) {
        return moving.get(slot);
    }

    /**
     * Returns whether a number moves, or a copy of it.
     *
     * @param key any number; it is hashed
     * @return whether it moves
     */
    public boolean moves(long key) {
        return movesSlot(map.slotOf(key));
    }

    /**
     * Returns whether a text moves, or a copy of it.
     *
     * @param key the text
     * @return whether it moves
     */
    public boolean moves(CharSequence key) {
        return movesSlot(map.slotOf(key));
    }

    /**
     * Returns whether some bytes move, or a copy of them.
     *
     * @param key the bytes
     * @return whether they move
     */
    public boolean moves(byte[] key) {
        return movesSlot(map.slotOf(key));
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%.2f %% of all slots move", 100 * share()));
        for (Move move : moves) {
            text.append("; ")
                    .append(move.from())
                    .append(" to ")
                    .append(move.to())
                    .append(": ")
                    .append(move.slots().size());
        }
        return text.toString();
    }
}
