package dev.levee.simulator;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A server whose cores share their time among all calls: with k cores and n calls each goes on at {@code speed * min(1,
 * k / n)}.
 *
 * <p>Virtual time makes an arrival or an end O(log n) (Leonard Kleinrock's processor sharing, 1967, with the virtual
 * time of Demers, Keshav and Shenker, 1989): it advances by the work that any one call gets, so a call ends when it has
 * advanced by the work of the call, and only the first of them needs an event.
 */
public final class SharingServer extends Server {
    private final Event firstEnd = Event.of(this::firstEnds);
    private double cores;
    private double speed = 1;
    private double virtual;
    private long updated;
    private @Nullable Call[] heap = new Call[8]; // by finish
    private int size;

    /** A server with that many cores, which may be a fraction. */
    public SharingServer(World world, String name, double cores) {
        super(world, name);
        this.cores = cores;
    }

    @Override
    protected void accept(Call call) {
        advance();
        call.finish = virtual + call.work;
        push(call);
        expectFirstEnd();
    }

    private void firstEnds() {
        Call call = first();
        updated = time().now();
        virtual = call.finish; // exactly, so that rounding never piles up
        pop();
        expectFirstEnd();
        call.served(true);
    }

    private double rate() {
        return size <= cores ? speed : speed * cores / size;
    }

    private void advance() {
        long now = time().now();
        if (size > 0) {
            virtual += (now - updated) * rate();
        } else {
            virtual = 0;
        }
        updated = now;
    }

    private void expectFirstEnd() {
        double rate = rate();
        if (size == 0 || rate <= 0) {
            time().cancel(firstEnd);
        } else {
            double nanos = Math.max(0, (first().finish - virtual) / rate);
            time().after((long) Math.min(Math.ceil(nanos), 1e18), firstEnd);
        }
    }

    @Override
    public void setSpeed(double value) {
        advance();
        speed = value;
        expectFirstEnd();
    }

    /** Sets how many cores it has now. */
    public void setCores(double value) {
        advance();
        cores = value;
        expectFirstEnd();
    }

    @Override
    public double expectedNanos(double work) {
        double alone = speed <= 0 ? 1e18 : work / speed;
        return alone * Math.max(1, (size + 1) / cores);
    }

    private Call first() {
        Call call = heap[0];
        if (call == null) {
            throw new IllegalStateException("no call is here");
        }
        return call;
    }

    private void push(Call call) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        int place = size++;
        while (place > 0) {
            Call parent = heap[(place - 1) >> 1];
            if (parent == null || parent.finish <= call.finish) {
                break;
            }
            heap[place] = parent;
            place = (place - 1) >> 1;
        }
        heap[place] = call;
    }

    private void pop() {
        Call last = heap[--size];
        heap[size] = null;
        if (size == 0 || last == null) {
            return;
        }
        int place = 0;
        while (2 * place + 1 < size) {
            int child = 2 * place + 1;
            Call least = heap[child];
            Call other = child + 1 < size ? heap[child + 1] : null;
            if (least != null && other != null && other.finish < least.finish) {
                least = other;
                child++;
            }
            if (least == null || last.finish <= least.finish) {
                break;
            }
            heap[place] = least;
            place = child;
        }
        heap[place] = last;
    }
}
