//! Certificates for tests.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// A new certificate authority, whose own certificate is written there.
pub fn new_authority(certificate: &Path) -> Issuer<'static, KeyPair> {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    std::fs::write(certificate, params.self_signed(&key).unwrap().pem()).unwrap();
    Issuer::new(params, key)
}

/// Writes a certificate of that authority and its new key.
pub fn certify(params: &CertificateParams, issuer: &Issuer<'static, KeyPair>, certificate: &Path, key: &Path) {
    let new = KeyPair::generate().unwrap();
    std::fs::write(certificate, params.signed_by(&new, issuer).unwrap().pem()).unwrap();
    std::fs::write(key, new.serialize_pem()).unwrap();
}
