using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tls;

/// <summary>The certificates, and which is shown where: swapped whole when certificates or routes change, read by every handshake.</summary>
internal sealed class TlsDirectory(Routes routes)
{
    private readonly Lock _gate = new();
    private volatile CertificateSet _certificates = CertificateSet.Empty;
    private volatile TlsTable _table = new(routes.Table, CertificateSet.Empty);

    public CertificateSet Certificates => _certificates;

    public TlsTable Table => _table;

    /// <summary>From now on these are shown; connections that there are go on.</summary>
    public void Use(CertificateSet certificates)
    {
        lock (_gate)
        {
            _certificates = certificates;
            _table = new(routes.Table, certificates);
        }
    }

    /// <summary>The routes may have changed. Costs nothing where endpoints alone have.</summary>
    public void Refresh()
    {
        lock (_gate)
        {
            if (_table.Routes != routes.Table)
            {
                _table = new(routes.Table, _certificates);
            }
        }
    }
}
