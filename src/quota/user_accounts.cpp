#include "quota/user_accounts.hpp"

namespace spillway::quota {

SubjectRef UserAccounts::find(std::string_view owner, std::string_view name, const SubjectLimits& limits,
                              Now now) {
    if (now.mono - cleared_at_ > kPatience || users_.size() >= kMost) {
        users_.clear();
        cleared_at_ = now.mono;
    }
    std::string key = Subject::key_of(owner, name);
    if (const auto found = users_.find(key); found != users_.end()) return found->second;
    SubjectRef account = quotas_.user(owner, name, limits, now);
    if (account != nullptr) users_.emplace(std::move(key), account);
    return account;
}

}  // namespace spillway::quota
