package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;

/**
 * Maps keys to named shards, by way of a fixed number of slots: a key has a slot for ever, a slot belongs to a shard as
 * long as the set stays.
 *
 * <p>For data that must be moved when the set changes: {@link #planTo} says exactly which slots go from where to where,
 * before anything moves, and data can be listed, copied and handed over slot by slot. For calls alone, which move
 * nothing, take a {@link ConsistentHash} directly.
 *
 * <p>The slot of a key is the leading bits of its {@link XxHash64}; the shard of a slot is the owner of the
 * {@link XxHash64} of its number by a consistent hash, {@link RendezvousHash} by default, so a changed set moves the
 * slots that it must and no others. With s slots for each of the shards, shares differ by about 1/sqrt(s). All of it
 * depends on the ids and weights of the shards, the number of slots and the hash alone, and is equal in every JVM;
 * there is no state to store.
 *
 * <p>A look-up is one read and allocates nothing. Immutable and thread-safe: a changed set is a new map.
 *
 * @since 0.1
 */
public final class ShardMap {
    /** The slots of a map by default: 16384. */
    public static final int DEFAULT_SLOTS = 1 << 14;

    /** The most slots of a map: 2^20. */
    public static final int MAX_SLOTS = 1 << 20;

    private final ConsistentHash hash;
    private final Function<? super List<Member>, ? extends ConsistentHash> over;
    /** The owner of each slot. */
    private final int[] owners;

    private final int leading;

    private ShardMap(List<Member> shards, int slots, Function<? super List<Member>, ? extends ConsistentHash> over) {
        this.over = Require.nonNull("over", over);
        this.hash = Require.nonNull("hash", over.apply(List.copyOf(Require.nonNull("shards", shards))));
        Require.range("slots", slots, 2, MAX_SLOTS);
        if (Integer.bitCount(slots) != 1) {
            throw new IllegalArgumentException("slots must be a power of two, but was " + slots);
        }
        if (hash.indexOfHash(0) < 0) {
            throw new IllegalArgumentException("shards must have one with a weight above 0, but were " + shards);
        }
        this.leading = 64 - Integer.numberOfTrailingZeros(slots);
        this.owners = new int[slots];
        for (int slot = 0; slot < slots; slot++) {
            owners[slot] = hash.indexOfHash(hashOfSlot(slot));
        }
    }

    /**
     * Returns a map with {@link #DEFAULT_SLOTS} over equal shards.
     *
     * @param names the shards, at least one, in any order
     * @return the map
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if there are none, or two have one name
     */
    public static ShardMap of(Collection<String> names) {
        return of(Require.nonNull("names", names).stream().map(Member::of).toList(), DEFAULT_SLOTS);
    }

    /**
     * Returns a map.
     *
     * @param shards the shards and their weights, at least one above 0, in any order
     * @param slots how many slots, a power of two up to {@link #MAX_SLOTS}: some hundreds for each shard that there
     *     will ever be. Another number is another map: all keys move
     * @return the map
     * @throws IllegalArgumentException if there is no shard with a weight, two have one id, or the slots are out of
     *     their range
     */
    public static ShardMap of(List<Member> shards, int slots) {
        return of(shards, slots, RendezvousHash::of);
    }

    /**
     * Returns a map by another hash; {@link Maglev} gives more even shares, and moves some more slots.
     *
     * @param shards the shards and their weights, at least one above 0, in any order
     * @param slots how many slots; see {@link #of(List, int)}
     * @param hash makes the hash of a set of shards
     * @return the map
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException as {@link #of(List, int)}, or as the hash does
     */
    public static ShardMap of(
            List<Member> shards, int slots, Function<? super List<Member>, ? extends ConsistentHash> hash) {
        return new ShardMap(shards, slots, Require.nonNull("hash", hash));
    }

    /**
     * Returns the map after a shard has joined, or has another weight.
     *
     * @param shard the shard
     * @return the map, of as many slots
     * @throws NullPointerException if an argument is null
     */
    public ShardMap with(Member shard) {
        List<Member> shards = others(Require.nonNull("shard", shard).id());
        shards.add(shard);
        return new ShardMap(shards, owners.length, over);
    }

    /**
     * Returns the map after a shard has left.
     *
     * @param id the shard that leaves
     * @return the map, of as many slots
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if there is no such shard, or it is the last one
     */
    public ShardMap without(String id) {
        List<Member> shards = others(Require.nonNull("id", id));
        if (shards.size() == hash.members().size()) {
            throw new IllegalArgumentException("id must be one of the shards, but was \"" + id + "\"");
        }
        return new ShardMap(shards, owners.length, over);
    }

    private List<Member> others(String id) {
        List<Member> shards = new ArrayList<>(hash.members());
        shards.removeIf(shard -> shard.id().equals(id));
        return shards;
    }

    /**
     * Returns the shards.
     *
     * @return the shards in the order of their ids
     */
    public List<Member> shards() {
        return hash.members();
    }

    /**
     * Returns how many slots there are.
     *
     * @return a power of two
     */
    public int slots() {
        return owners.length;
    }

    /**
     * Returns the slot of a number.
     *
     * @param key any number; it is hashed
     * @return from 0 to {@code slots() - 1}; the same in every map of as many slots
     */
    public int slotOf(long key) {
        return slotOfHash(XxHash64.hash(key));
    }

    /**
     * Returns the slot of a text.
     *
     * @param key the text; what counts is its UTF-8 form
     * @return as {@link #slotOf(long)}
     */
    public int slotOf(CharSequence key) {
        return slotOfHash(XxHash64.hash(key));
    }

    /**
     * Returns the slot of some bytes.
     *
     * @param key the bytes
     * @return as {@link #slotOf(long)}
     */
    public int slotOf(byte[] key) {
        return slotOfHash(XxHash64.hash(key));
    }

    /**
     * Returns the slot of a hash value: its leading bits, so that a slot is a range of values, taken as unsigned.
     *
     * @param value evenly spread over all longs
     * @return as {@link #slotOf(long)}
     */
    public int slotOfHash(long value) {
        return (int) (value >>> leading);
    }

    /**
     * Returns the shard of a slot.
     *
     * @param slot from 0 to {@code slots() - 1}
     * @return its id
     * @throws IllegalArgumentException if there is no such slot
     */
    public String shardOfSlot(int slot) {
        Require.range("slot", slot, 0, owners.length - 1);
        return id(slot);
    }

    private String id(int slot) {
        return hash.members().get(owners[slot]).id();
    }

    /**
     * Returns the shard of a number.
     *
     * @param key any number; it is hashed
     * @return its id
     */
    public String shardOf(long key) {
        return id(slotOf(key));
    }

    /**
     * Returns the shard of a text.
     *
     * @param key the text; what counts is its UTF-8 form
     * @return its id
     */
    public String shardOf(CharSequence key) {
        return id(slotOf(key));
    }

    /**
     * Returns the shard of some bytes.
     *
     * @param key the bytes
     * @return its id
     */
    public String shardOf(byte[] key) {
        return id(slotOf(key));
    }

    /**
     * Returns different shards for the copies of a slot, the owner first.
     *
     * @param slot from 0 to {@code slots() - 1}
     * @param count how many are wanted, 0 or more
     * @return their ids; fewer if there are fewer
     * @throws IllegalArgumentException if there is no such slot, or the count is negative
     */
    public List<String> replicasOfSlot(int slot, int count) {
        Require.range("slot", slot, 0, owners.length - 1);
        List<String> ids = new ArrayList<>();
        for (int index : hash.replicas(hashOfSlot(slot), count)) {
            ids.add(hash.members().get(index).id());
        }
        return List.copyOf(ids);
    }

    /**
     * Returns the share of a shard.
     *
     * @param id the shard
     * @return its slots by all slots; 0 for one that is not in the map
     * @throws NullPointerException if an argument is null
     */
    public double share(String id) {
        Require.nonNull("id", id);
        int count = 0;
        for (int slot = 0; slot < owners.length; slot++) {
            if (id(slot).equals(id)) {
                count++;
            }
        }
        return count / (double) owners.length;
    }

    /**
     * Returns what moves from this map to another.
     *
     * @param next the map after the change
     * @return the plan
     * @throws IllegalArgumentException if the maps differ in the number of slots
     */
    public ShardPlan planTo(ShardMap next) {
        return planTo(next, 1);
    }

    /**
     * Returns what moves if N copies of each slot are kept, on {@link #replicasOfSlot}.
     *
     * @param next the map after the change
     * @param copies how many shards have each slot, 1 or more
     * @return the plan: a shard that newly has a slot gets it from one that loses it, or else from its owner before
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the maps differ in the number of slots, or there are no copies
     */
    public ShardPlan planTo(ShardMap next, int copies) {
        return ShardPlan.between(
                this, Require.nonNull("next", next), Require.range("copies", copies, 1, Integer.MAX_VALUE));
    }

    private static long hashOfSlot(int slot) {
        return XxHash64.hash((long) slot);
    }

    @Override
    public String toString() {
        return "shard map of " + hash.members().size() + " shards with " + owners.length + " slots";
    }
}
