package dev.levee.journal;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** A folder in memory that keeps what was done to it, so that a test can end it at any byte; and that fails. */
@SuppressWarnings("ArrayRecordComponent")
final class SimulatedDisk implements JournalDisk {
    /** Something that was done. */
    interface Event {
        void apply(State state);
    }

    @SuppressWarnings("ArrayRecordComponent") // compared by nothing
    record Wrote(int file, int at, byte[] bytes) implements Event {
        @Override
        public void apply(State state) {
            Content content = state.files.get(file);
            content.now = into(content.now, bytes.length);
        }

        /** The file when so many of the bytes were written. */
        byte[] into(byte[] before, int length) {
            byte[] now = Arrays.copyOf(before, Math.max(before.length, at + length));
            System.arraycopy(bytes, 0, now, at, length);
            return now;
        }
    }

    record Truncated(int file, int length) implements Event {
        @Override
        public void apply(State state) {
            Content content = state.files.get(file);
            content.now = Arrays.copyOf(content.now, length);
        }
    }

    record Forced(int file) implements Event {
        @Override
        public void apply(State state) {
            Content content = state.files.get(file);
            content.durable = content.now;
        }
    }

    record Created(int file, String name) implements Event {
        @Override
        public void apply(State state) {
            state.files.add(new Content());
            state.names.put(name, file);
            state.pendingNames.add(names -> names.put(name, file));
        }
    }

    record Renamed(String from, String to) implements Event {
        @Override
        public void apply(State state) {
            NameChange change = names -> {
                Integer file = names.remove(from);
                if (file != null) {
                    names.put(to, file);
                }
            };
            change.apply(state.names);
            state.pendingNames.add(change);
        }
    }

    record Deleted(String name) implements Event {
        @Override
        public void apply(State state) {
            NameChange change = names -> names.remove(name);
            change.apply(state.names);
            state.pendingNames.add(change);
        }
    }

    record ForcedNames() implements Event {
        @Override
        public void apply(State state) {
            state.durableNames = new TreeMap<>(state.names);
            state.pendingNames.clear();
        }
    }

    /** Something of the test, such as that a call has returned. */
    record Marked(String what, int number) implements Event {
        @Override
        public void apply(State state) {}
    }

    interface NameChange {
        void apply(Map<String, Integer> names);
    }

    static final class Content {
        byte[] now = {};
        byte[] durable = {};
    }

    /** What is there after some events. */
    static final class State {
        final List<Content> files = new ArrayList<>();
        final Map<String, Integer> names = new TreeMap<>();
        Map<String, Integer> durableNames = new TreeMap<>();
        final List<NameChange> pendingNames = new ArrayList<>();

        State copy() {
            State copy = new State();
            for (Content content : files) {
                Content copied = new Content();
                copied.now = content.now;
                copied.durable = content.durable;
                copy.files.add(copied);
            }
            copy.names.putAll(names);
            copy.durableNames.putAll(durableNames);
            copy.pendingNames.addAll(pendingNames);
            return copy;
        }

        /** The files after the end of the process: the operating system has what was written. */
        Map<String, byte[]> afterKill() {
            Map<String, byte[]> left = new TreeMap<>();
            names.forEach((name, file) -> left.put(name, files.get(file).now));
            return left;
        }

        /**
         * The files after a loss of power: of what was not forced any page may be there or not, the end of a file
         * anywhere, and of the changes of names the first few.
         */
        Map<String, byte[]> afterPowerLoss(Random random, int page) {
            Map<String, Integer> survived = new TreeMap<>(durableNames);
            int changes = random.nextInt(pendingNames.size() + 1);
            pendingNames.subList(0, changes).forEach(change -> change.apply(survived));
            Map<String, byte[]> left = new TreeMap<>();
            survived.forEach((name, file) -> left.put(name, lossy(files.get(file), random, page)));
            return left;
        }

        private static byte[] lossy(Content content, Random random, int page) {
            byte[] now = content.now;
            byte[] durable = content.durable;
            if (now.length < durable.length) {
                return random.nextBoolean() ? now : durable; // it was cut off
            }
            int length = durable.length + random.nextInt(now.length - durable.length + 1);
            byte[] left = Arrays.copyOf(now, length);
            for (int at = 0; at < length; at += page) {
                int end = Math.min(length, at + page);
                if (random.nextInt(3) != 0) {
                    continue;
                }
                byte[] before =
                        Arrays.copyOfRange(durable, Math.min(at, durable.length), Math.min(end, durable.length));
                System.arraycopy(before, 0, left, at, before.length);
                boolean garbage = random.nextInt(4) == 0;
                for (int i = at + before.length; i < end; i++) {
                    left[i] = garbage ? (byte) random.nextInt() : 0;
                }
            }
            return left;
        }
    }

    final List<Event> events = new ArrayList<>();
    private final State state;
    private boolean locked;

    /** How many more bytes can be written; then the disk is full. */
    long room = Long.MAX_VALUE;
    /** How many more times files or names can be forced; then that fails. */
    int forces = Integer.MAX_VALUE;
    /** Runs while a file is being forced. */
    Runnable whileForcing = () -> {};

    SimulatedDisk() {
        this(new State());
    }

    /** Begins with what an earlier process has done, forced or not. */
    SimulatedDisk(State state) {
        this.state = state;
    }

    /** Begins with files whose bytes and names are durable. */
    SimulatedDisk(Map<String, byte[]> files) {
        this(new State());
        files.forEach((name, bytes) -> {
            int number = state.files.size();
            Content content = new Content();
            content.now = bytes;
            content.durable = bytes;
            state.files.add(content);
            state.names.put(name, number);
        });
        state.durableNames = new TreeMap<>(state.names);
    }

    State state() {
        return state;
    }

    Map<String, byte[]> files() {
        return state.afterKill();
    }

    synchronized void mark(String what, int number) {
        events.add(new Marked(what, number));
    }

    private synchronized void happen(Event event) {
        events.add(event);
        event.apply(state);
    }

    @Override
    public Closeable lock() throws IOException {
        if (locked) {
            throw new IOException("locked");
        }
        locked = true;
        return () -> locked = false;
    }

    @Override
    public synchronized List<String> list() {
        return new ArrayList<>(state.names.keySet());
    }

    @Override
    public synchronized JournalFile create(String name) {
        happen(new Created(state.files.size(), name));
        return new SimulatedFile(state.names.get(name));
    }

    @Override
    public synchronized JournalFile open(String name) throws IOException {
        Integer file = state.names.get(name);
        if (file == null) {
            throw new NoSuchFileException(name);
        }
        return new SimulatedFile(file);
    }

    @Override
    public void rename(String from, String to) {
        happen(new Renamed(from, to));
    }

    @Override
    public void delete(String name) {
        happen(new Deleted(name));
    }

    @Override
    public synchronized void force() throws IOException {
        checkForce();
        happen(new ForcedNames());
    }

    private void checkForce() throws IOException {
        if (forces <= 0) {
            throw new IOException("Input/output error");
        }
        forces--;
    }

    @Override
    public String path(String name) {
        return "/simulated/" + name;
    }

    private final class SimulatedFile implements JournalFile {
        private final int number;
        private int end;

        SimulatedFile(int number) {
            this.number = number;
            this.end = now().length;
        }

        private byte[] now() {
            synchronized (SimulatedDisk.this) {
                return state.files.get(number).now;
            }
        }

        @Override
        public long length() {
            return end;
        }

        @Override
        public void read(long place, byte[] into, int length) throws IOException {
            byte[] now = now();
            if (place + length > now.length) {
                throw new EOFException();
            }
            System.arraycopy(now, (int) place, into, 0, length);
        }

        @Override
        public void write(byte[] bytes, int length) throws IOException {
            synchronized (SimulatedDisk.this) {
                write(end, bytes, length);
                end += length;
            }
        }

        private void write(int at, byte[] bytes, int length) throws IOException {
            int written = (int) Math.min(length, room);
            room -= written;
            happen(new Wrote(number, at, Arrays.copyOf(bytes, written)));
            if (written < length) {
                throw new IOException("No space left on device");
            }
        }

        @Override
        public void reserve(int length) throws IOException {
            synchronized (SimulatedDisk.this) {
                write(end, new byte[length], length);
            }
        }

        @Override
        public void force() throws IOException {
            whileForcing.run();
            synchronized (SimulatedDisk.this) {
                checkForce();
                happen(new Forced(number));
            }
        }

        @Override
        public void truncate(long length) {
            happen(new Truncated(number, (int) length));
            end = (int) length;
        }

        @Override
        public void close() {}
    }
}
