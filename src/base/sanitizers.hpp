#pragma once
/// SPILLWAY_ADDRESS_SANITIZER, SPILLWAY_THREAD_SANITIZER: one of them watches this program, so that memory
/// must not be reused behind its back, nor its allocator replaced. Thread rule: constants.

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPILLWAY_ADDRESS_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer)
#define SPILLWAY_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(SPILLWAY_ADDRESS_SANITIZER)
#define SPILLWAY_ADDRESS_SANITIZER 1
#endif
#if defined(__SANITIZE_THREAD__) && !defined(SPILLWAY_THREAD_SANITIZER)
#define SPILLWAY_THREAD_SANITIZER 1
#endif
