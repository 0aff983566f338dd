#pragma once
/// Finds the elements of an API Management policy.
///
/// Not an XML parser, since policies are not XML: the expressions in their attributes have quotation marks,
/// `<` and `&` as they are (learn.microsoft.com/azure/api-management/api-management-policy-expressions).
/// The escaped expressions of a policy exported as XML are also read. Ownership: views of the text.
/// Thread rule: pure. Errors: none; what cannot be parsed is skipped.
#include <string>
#include <string_view>
#include <vector>

namespace spillway::migrate {

struct PolicyElement {
    struct Attribute {
        std::string name;
        std::string value;
        std::size_t at = 0;  ///< of the value, in the policy
    };
    std::string name;
    std::size_t at = 0;
    std::vector<Attribute> attributes;
    std::string text;  ///< between it and the next tag

    [[nodiscard]] const Attribute* find(std::string_view name) const noexcept;
    [[nodiscard]] std::string value(std::string_view name) const;
};

/// In the order of the policy, without its comments.
[[nodiscard]] std::vector<PolicyElement> scan_policy(std::string_view policy);

}  // namespace spillway::migrate
