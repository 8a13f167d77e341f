using JepaSharp.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>CPU kernels hung onto a network's layers from outside, whatever the network is, until disposed.</summary>
/// <remarks>
/// <para>A walk over the network's modules finds what kernels can take the place of: every <see cref="BlockStack"/> as a whole, <see cref="Dense"/>
/// and <see cref="LayerNormalization"/> layers elsewhere, and a <see cref="Predictor"/>'s tokens. What they cannot serve stays on libtorch's
/// operators, and <see cref="Missing"/> says why. Both ways give the same numbers to rounding.</para>
/// <para>The parameters' memory is read as it lies: a parameter that is moved (by <c>to</c>, or into flat memory) needs them hung on anew.
/// Gradients are added to the parameters' <c>grad</c> when backward comes, so that <c>autograd.grad</c> with respect to a parameter finds
/// nothing.</para>
/// </remarks>
public sealed class AttachedKernels : IDisposable
{
    private readonly List<IDisposable> _kernels = [];
    private readonly List<Action> _refresh = [], _takeOff = [];
    private readonly List<string> _missing = [];
    private readonly HashSet<nn.Module> _served = new(ReferenceEqualityComparer.Instance);

    private AttachedKernels()
    {
    }

    /// <summary>What kernels there are on this machine, in words.</summary>
    public static string Support => KernelSupport.Description;

    /// <summary>Whether any part of the network runs on kernels.</summary>
    public bool Any => _kernels.Count > 0;

    /// <summary>What runs on libtorch's operators, each with the reason: "predictor_blocks: width 24 is not a multiple of 16".</summary>
    public IReadOnlyList<string> Missing => _missing;

    /// <summary>Hangs kernels onto whatever they can serve.</summary>
    /// <param name="network">Any network. Its parameters have their values.</param>
    /// <param name="use">What for.</param>
    public static AttachedKernels To(nn.Module network, KernelUse use)
    {
        var attached = new AttachedKernels();
        if (ReasonAgainst(network, use) is { } reason) attached._missing.Add($"all of {network.GetName()}: {reason}");
        else attached.Walk("", network, use);
        return attached;
    }

    /// <summary>Brings what is derived from the weights up to date: to be called after they have changed.</summary>
    public void Refresh()
    {
        foreach (var refresh in _refresh) refresh();
    }

    /// <summary>Goes back to libtorch's operators.</summary>
    public void Dispose()
    {
        foreach (var takeOff in _takeOff) takeOff();
        foreach (var kernel in _kernels) kernel.Dispose();
        _kernels.Clear();
        _refresh.Clear();
        _takeOff.Clear();
        _served.Clear();
    }

    /// <summary>Whether a layer's products run on kernels, alone or as a part of a stack.</summary>
    internal bool Serves(Dense dense) => _served.Contains(dense);

    /// <summary>Why nothing of a network can run on kernels here; null where it can.</summary>
    private static string? ReasonAgainst(nn.Module network, KernelUse use)
    {
        if (!KernelSupport.Singles) return KernelSupport.Description;
        if (use.Computation.Products == ProductMethod.Libtorch) return $"{use.Computation.Words} was chosen";
        return network.parameters().FirstOrDefault(p => p.device_type != DeviceType.CPU || p.dtype != ScalarType.Float32) is { } other
            ? $"parameters are {other.dtype} on {other.device_type}" : null;
    }

    private void Walk(string name, nn.Module module, KernelUse use)
    {
        switch (module)
        {
            case BlockStack stack:
                Hang(name, stack, use);
                return; // blocks that do not fit run on libtorch as a whole
            case Dense dense:
                var product = Keep(new AcceleratedDense(dense, use.Computation, use.Trained));
                dense.Kernel = product;
                _ = _served.Add(dense);
                _refresh.Add(product.Refresh);
                _takeOff.Add(() => { if (dense.Kernel == product) dense.Kernel = null; });
                return;
            case LayerNormalization norm when AcceleratedNorm.Misfit(norm) is { } misfit:
                _missing.Add($"{name}: {misfit}");
                return;
            case LayerNormalization norm:
                var normed = Keep(new AcceleratedNorm(norm, use.Trained));
                norm.Kernel = normed;
                _takeOff.Add(() => { if (norm.Kernel == normed) norm.Kernel = null; });
                return;
            case Predictor predictor when AcceleratedQueries.Misfit(predictor.MaskToken) is null:
                var queries = Keep(new AcceleratedQueries(predictor.MaskToken, use.Trained));
                predictor.QueryKernel = queries;
                _takeOff.Add(() => { if (predictor.QueryKernel == queries) predictor.QueryKernel = null; });
                break;
        }

        foreach (var (child, part) in module.named_children()) Walk(name.Length == 0 ? child : $"{name}.{child}", part, use);
    }

    private void Hang(string name, BlockStack stack, KernelUse use)
    {
        if (AcceleratedBlocks.Misfit(stack) is { } misfit)
        {
            _missing.Add($"{name}: {misfit}");
            return;
        }

        var blocks = Keep(new AcceleratedBlocks(stack, use, keepPanels: !use.WeightsChange));
        stack.Kernel = blocks;
        _served.UnionWith(stack.modules().OfType<Dense>());
        _refresh.Add(blocks.Refresh);
        _takeOff.Add(() => { if (stack.Kernel == blocks) stack.Kernel = null; });
    }

    private T Keep<T>(T kernel)
        where T : IDisposable
    {
        _kernels.Add(kernel);
        return kernel;
    }
}

/// <summary>What the CPU kernels are wanted for.</summary>
/// <param name="Computation">How products are done; a number format alone means the widest instructions there are for it.</param>
/// <param name="Trained">Whether gradients are wanted.</param>
/// <param name="WeightsChange">Whether the weights change from step to step, by gradient or by average.</param>
/// <param name="Checkpoint">Keep only the blocks' inputs for the backward pass, and compute the rest again.</param>
public sealed record KernelUse(Computation Computation, bool Trained, bool WeightsChange, bool Checkpoint = false);
