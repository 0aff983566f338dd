#include "base/signals.hpp"

#include <sys/signalfd.h>

#include <cerrno>
#include <system_error>

#include "base/loop.hpp"
#include "base/readiness.hpp"

namespace spillway {

Signals::Signals(Loop& loop, std::initializer_list<int> numbers) : loop_(loop) {
    sigset_t wanted;
    ::sigemptyset(&wanted);
    for (const int number : numbers) ::sigaddset(&wanted, number);
    ::pthread_sigmask(SIG_BLOCK, &wanted, &before_);
    fd_ = FileDescriptor(::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!fd_.is_open()) throw std::system_error(errno, std::system_category(), "signalfd");
}

Signals::~Signals() {
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

Task<int> Signals::next() {
    Readiness ready(loop_, fd_.get());
    waiter_ = &ready;
    while (!closed_) {
        signalfd_siginfo info{};
        if (::read(fd_.get(), &info, sizeof info) == sizeof info) {
            waiter_ = nullptr;
            co_return static_cast<int>(info.ssi_signo);
        }
        co_await ready.wait();
    }
    waiter_ = nullptr;
    co_return 0;
}

void Signals::close() noexcept {
    closed_ = true;
    if (waiter_ != nullptr) waiter_->wake();
}

}  // namespace spillway
