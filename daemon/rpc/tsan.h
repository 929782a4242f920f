/*
 * What ThreadSanitizer cannot see: libgrpc is not instrumented, so the hand-over of a tag from the thread that starts
 * a batch to the thread that takes its completion from the queue looks like a race. Released before a batch starts,
 * acquired when its tag comes back. Nothing in other builds.
 */
#ifndef FG_RPC_TSAN_H
#define FG_RPC_TSAN_H

#if defined(__SANITIZE_THREAD__)
#define FG_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FG_TSAN 1
#endif
#endif

#ifdef FG_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define tsan_acquire(address) __tsan_acquire(address)
#define tsan_release(address) __tsan_release(address)
#else
#define tsan_acquire(address) ((void)(address))
#define tsan_release(address) ((void)(address))
#endif

#endif
