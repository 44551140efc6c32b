package dev.levee.cache.writebehind;

/** One shard with what belongs to it. */
record WriteLane<K, V>(WriteShard<K, V> shard, ShardDoor<K, V> door, ShardWorker<K, V> worker) {}
