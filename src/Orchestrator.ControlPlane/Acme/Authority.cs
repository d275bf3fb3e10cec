namespace Orchestrator.ControlPlane.Acme;

/// <summary>The authority that certificates are ordered from, with the account there: opened at the first order.</summary>
internal sealed class Authority(AcmeOptions options, AcmeClient client, AccountKeys keys, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _opening = new(1);
    private AcmeAccount? _account;

    public Uri Directory => options.Directory;

    /// <exception cref="AcmeException">There is none; the message says why.</exception>
    public async Task<IssuedCertificate> OrderAsync(IReadOnlyList<string> hosts, ShowChallenges show, CancellationToken cancellationToken)
    {
        AcmeAccount? account = null;
        try
        {
            account = await OpenAsync(cancellationToken);
            return await new CertificateOrder(client, account, show, time).RunAsync(hosts, cancellationToken);
        }
        catch (AcmeException failure)
        {
            client.ForgetDirectory();
            if (failure.Type == AcmeException.AccountDoesNotExist)
            {
                // The authority has forgotten it: the next order makes it anew. Not disposed: another order may be at work with it.
                Interlocked.CompareExchange(ref _account, null, account);
            }

            throw;
        }
    }

    public void Dispose()
    {
        client.Dispose();
        _opening.Dispose();
        _account?.Key.Dispose();
    }

    private async Task<AcmeAccount> OpenAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_account is null)
            {
                var key = await keys.GetAsync(cancellationToken);
                try
                {
                    _account = await AcmeAccount.OpenAsync(client, key, options.Email, cancellationToken);
                }
                catch
                {
                    key.Dispose();
                    throw;
                }
            }

            return _account;
        }
        finally
        {
            _opening.Release();
        }
    }
}
