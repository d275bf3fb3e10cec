using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Certificates;
using Orchestrator.Runtime.Informers;
using Prometheus;

namespace Orchestrator.Proxy.Tls;

/// <summary>
/// Turns the Secrets that proxies may read into certificates, and keeps them on disk. One that cannot be used leaves the one before in
/// its place; no other app notices.
/// </summary>
internal sealed partial class CertificateWatcher
{
    /// <summary>From the first change to applying it: a Secret and its app's route mostly change together.</summary>
    private static readonly TimeSpan Debounce = TimeSpan.FromMilliseconds(20);

    private static readonly Gauge Expiry = Metrics.CreateGauge(
        "orchestrator_proxy_certificate_expiry_timestamp_seconds",
        "When the certificate that is shown for an app ends, in seconds since 1970.",
        "namespace",
        "app");

    private static readonly Gauge Unusable = Metrics.CreateGauge(
        "orchestrator_proxy_certificate_unusable",
        "1 for an app whose newest certificate or client authorities cannot be used: those before, if any, are.",
        "namespace",
        "app");

    private static readonly Counter SaveFailures = Metrics.CreateCounter(
        "orchestrator_proxy_certificate_save_failures_total", "Saves of the certificates to disk that failed.");

    private readonly Informer<V1Secret> _secrets;
    private readonly TlsDirectory _directory;
    private readonly CertificateStore _store;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Signal _changed = new();
    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);

    public CertificateWatcher(
        Informer<V1Secret> secrets, TlsDirectory directory, CertificateStore store, ILogger<CertificateWatcher> logger, TimeProvider time)
    {
        (_secrets, _directory, _store, _logger, _time) = (secrets, directory, store, logger, time);
        secrets.Subscribe(_ => _changed.Set());
    }

    /// <summary>Takes what was kept on disk, before anything is asked of the API.</summary>
    public void Load() => Apply(_store.Load());

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _secrets.WaitForSyncAsync(cancellationToken);
        while (true)
        {
            if (Apply(_secrets.Items.ToDictionary(secret => secret.Key.Name, secret => Of(secret.Value))))
            {
                Save();
            }

            await _changed.WaitAsync(cancellationToken);
            await Task.Delay(Debounce, _time, cancellationToken);
        }
    }

    /// <summary>Takes all of this process's series out of the metrics.</summary>
    public void Clear() => Apply(new Dictionary<string, StoredSecret>());

    private static StoredSecret Of(V1Secret secret) =>
        new(Value(secret, ProxySecrets.Certificate), Value(secret, ProxySecrets.Key), Value(secret, ProxySecrets.ClientAuthorities));

    private static byte[]? Value(V1Secret secret, string key) => secret.Data?.TryGetValue(key, out var value) == true ? value : null;

    /// <returns>Whether anything is otherwise than it was.</returns>
    private bool Apply(IReadOnlyDictionary<string, StoredSecret> secrets)
    {
        var changed = false;
        foreach (var gone in _known.Keys.Where(name => !secrets.ContainsKey(name)).ToList())
        {
            _known.Remove(gone);
            Expiry.RemoveLabelled(LabelsOf(gone));
            Unusable.RemoveLabelled(LabelsOf(gone));
            changed = true;
        }

        foreach (var (name, secret) in secrets)
        {
            var before = _known.GetValueOrDefault(name);
            if (IsOurs(name) && before?.Secret.IsSame(secret) != true)
            {
                _known[name] = Read(name, secret, before);
                changed = true;
            }
        }

        if (changed)
        {
            _directory.Use(new(
                _known.Where(known => ProxySecrets.AppOf(known.Key) is not null)
                    .ToDictionary(known => KeyOf(known.Key), known => new AppCertificates(known.Value.Certificate, known.Value.Authorities)),
                _known.GetValueOrDefault(ProxySecrets.DefaultCertificate)?.Certificate));
        }

        return changed;
    }

    private Known Read(string name, StoredSecret secret, Known? before)
    {
        var faults = new List<string>();

        // Each of the two by itself: a broken certificate must not keep an authority that was taken back in use.
        var certificate = secret is { Certificate: null, Key: null } ? null
            : Try(() => TlsCertificate.Read(secret.Certificate, secret.Key), before?.Certificate, faults);
        var authorities = secret.Authorities is null ? null
            : Try(() => CertificateAuthorities.Read(secret.Authorities), before?.Authorities, faults);
        var labels = LabelsOf(name);
        Unusable.WithLabels(labels).Set(faults.Count > 0 ? 1 : 0);
        if (certificate is null)
        {
            Expiry.RemoveLabelled(labels);
        }
        else
        {
            Expiry.WithLabels(labels).Set(certificate.Keyed.NotAfter.ToUnixTimeSeconds());
        }

        if (faults.Count > 0)
        {
            Log.Unusable(_logger, ApiGroup.ProxyNamespace, name, string.Join("; ", faults));
        }
        else if (certificate is not null)
        {
            Log.Taken(_logger, name, certificate.Keyed.Leaf.Subject, certificate.Keyed.NotAfter);
        }

        return new(secret, certificate, authorities);
    }

    private static T? Try<T>(Func<T> read, T? before, List<string> faults)
        where T : class
    {
        try
        {
            return read();
        }
        catch (FormatException fault)
        {
            faults.Add(fault.Message);
            return before;
        }
    }

    private void Save()
    {
        try
        {
            _store.Save(_known.ToDictionary(known => known.Key, known => known.Value.Secret));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            SaveFailures.Inc();
            Log.NotSaved(_logger, _store.Path, failure.Message);
        }
    }

    private static bool IsOurs(string name) => name == ProxySecrets.DefaultCertificate || ProxySecrets.AppOf(name) is not null;

    private static ObjectKey KeyOf(string name) => ProxySecrets.AppOf(name) is var (@namespace, app) ? new(@namespace, app) : new(ApiGroup.ProxyNamespace, name);

    private static string[] LabelsOf(string name) => [KeyOf(name).Namespace!, KeyOf(name).Name];

    private sealed record Known(StoredSecret Secret, TlsCertificate? Certificate, CertificateAuthorities? Authorities);

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Certificate of {Secret}: {Subject}, until {NotAfter:u}")]
        public static partial void Taken(ILogger logger, string secret, string subject, DateTimeOffset notAfter);

        [LoggerMessage(Level = LogLevel.Error, Message = "Secret {Namespace}/{Secret} cannot be used; what was there before is: {Reason}")]
        public static partial void Unusable(ILogger logger, string @namespace, string secret, string reason);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The certificates could not be saved to {Path}; they are at the next change: {Reason}")]
        public static partial void NotSaved(ILogger logger, string path, string reason);
    }
}
