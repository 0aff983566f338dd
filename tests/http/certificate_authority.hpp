#pragma once
// An authority that issues certificates to the clients of a test.
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "http/certificate.hpp"

namespace spillway::http::test {

template <auto Free>
struct FreedBy {
    template <class T>
    void operator()(T* pointer) const noexcept {
        Free(pointer);
    }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, FreedBy<X509_free>>;

struct Issued {
    KeyPtr key;
    X509Ptr certificate;
};

/// What differs between certificates.
struct Wanted {
    std::string names{};  ///< as OpenSSL writes them: "DNS:a.example,URI:spiffe://x/a"; empty: none
    std::string usage = "clientAuth";  ///< extended key usage; empty: none
    long ends = 3600;                  ///< seconds from now
    bool authority = false;
};

class Authority {
public:
    explicit Authority(const std::string& name)
        : own_(sign({.usage = "", .authority = true}, name, nullptr)) {}

    [[nodiscard]] Issued issue(const Wanted& wanted) const { return sign(wanted, "client", &own_); }
    /// One below this.
    [[nodiscard]] Authority below(const std::string& name) const {
        return Authority(sign({.usage = "", .authority = true}, name, &own_));
    }
    [[nodiscard]] X509* certificate() const { return own_.certificate.get(); }
    void append_to(const std::string& file) const {
        const std::unique_ptr<FILE, int (*)(FILE*)> out(std::fopen(file.c_str(), "a"), std::fclose);
        PEM_write_X509(out.get(), certificate());
    }

private:
    explicit Authority(Issued own) : own_(std::move(own)) {}

    static void add(X509* to, X509* issuer, int what, const std::string& value) {
        if (value.empty()) return;
        X509V3_CTX context;
        X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
        const std::unique_ptr<X509_EXTENSION, FreedBy<X509_EXTENSION_free>> extension(
            X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
        EXPECT_NE(extension, nullptr) << value;
        X509_add_ext(to, extension.get(), -1);
    }
    static Issued sign(const Wanted& wanted, const std::string& name, const Issued* issuer) {
        static int serial = 0;
        Issued out{KeyPtr(EVP_EC_gen("P-256")), X509Ptr(X509_new())};
        X509* const x = out.certificate.get();
        X509_set_version(x, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(x), -7200);
        X509_gmtime_adj(X509_getm_notAfter(x), wanted.ends);
        X509_set_pubkey(x, out.key.get());
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
        X509* const above = issuer != nullptr ? issuer->certificate.get() : x;
        X509_set_issuer_name(x, X509_get_subject_name(above));
        add(x, above, NID_subject_alt_name, wanted.names);
        add(x, above, NID_ext_key_usage, wanted.usage);
        add(x, above, NID_basic_constraints, wanted.authority ? "critical,CA:TRUE" : "CA:FALSE");
        X509_sign(x, (issuer != nullptr ? issuer->key : out.key).get(), EVP_sha256());
        return out;
    }

    Issued own_;
};

}  // namespace spillway::http::test
