package dev.levee.jcache;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Set;
import java.util.UUID;
import javax.cache.CacheException;

/** Copies keys and values for a cache that stores by value, by serialization. */
interface Copies {
    /** Returns a copy, or the object itself if it cannot change. */
    <T> T of(T original);

    /** By reference. */
    Copies NONE = new Copies() {
        @Override
        public <T> T of(T original) {
            return original;
        }
    };

    /** By value. */
    record Serialized(ClassLoader loader) implements Copies {
        /** Classes whose objects never change; records and others may hold what does. */
        private static final Set<Class<?>> IMMUTABLE = Set.of(
                String.class,
                Boolean.class,
                Byte.class,
                Short.class,
                Character.class,
                Integer.class,
                Long.class,
                Float.class,
                Double.class,
                BigInteger.class,
                BigDecimal.class,
                UUID.class);

        @Override
        @SuppressWarnings({"unchecked", "BanSerializableRead"}) // the class of the original; bytes written just above
        public <T> T of(T original) {
            if (IMMUTABLE.contains(original.getClass()) || original instanceof Enum<?>) {
                return original;
            }
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
                out.writeObject(original);
                out.flush();
                try (ObjectInputStream in = new CopyInput(new ByteArrayInputStream(bytes.toByteArray()), loader)) {
                    return (T) in.readObject();
                }
            } catch (IOException | ClassNotFoundException cannot) {
                throw new CacheException(
                        "a " + original.getClass().getName() + " cannot be copied, which a cache by value does:"
                                + " make it serializable, or use setStoreByValue(false)",
                        cannot);
            }
        }
    }

    /** Reads objects of classes that a class loader knows. */
    final class CopyInput extends ObjectInputStream {
        private final ClassLoader loader;

        private CopyInput(InputStream bytes, ClassLoader loader) throws IOException {
            super(bytes);
            this.loader = loader;
        }

        @Override
        protected Class<?> resolveClass(ObjectStreamClass type) throws IOException, ClassNotFoundException {
            try {
                return Class.forName(type.getName(), false, loader);
            } catch (ClassNotFoundException unknown) {
                return super.resolveClass(type);
            }
        }
    }
}
