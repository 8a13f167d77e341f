using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Matrix products as libtorch's operators make them, one by one: what counts of operations are held against. Off unless begun.</summary>
internal sealed class ProductTrace : IDisposable
{
    [ThreadStatic]
    private static ProductTrace? _current;

    private ProductTrace()
    {
    }

    /// <summary>Operations of the products so far, 2 for each multiplication with its addition.</summary>
    public double Forward { get; private set; }

    /// <summary>Those of the products that gradients of them will take: one for each factor that wants a gradient.</summary>
    public double Backward { get; private set; }

    /// <summary>Begins to listen on this thread, until disposed of.</summary>
    public static ProductTrace Begin() => _current = new ProductTrace();

    /// <summary>Says that a product [..., k] x [k, columns] is made.</summary>
    /// <param name="left">Of any shape; its last axis is summed over.</param>
    /// <param name="right">The other factor.</param>
    /// <param name="columns">Columns of what comes out.</param>
    public static void Add(Tensor left, Tensor right, long columns)
    {
        if (_current is not { } trace) return;
        var operations = 2.0 * left.numel() * columns;
        trace.Forward += operations;
        if (!is_grad_enabled()) return;
        if (left.requires_grad) trace.Backward += operations;
        if (right.requires_grad) trace.Backward += operations;
    }

    /// <summary>Says that a weight is multiplied with what lies around each of so many places: a convolution.</summary>
    /// <param name="input">What goes in.</param>
    /// <param name="weight">[out, in, ...].</param>
    /// <param name="places">Places that come out, of all images.</param>
    public static void AddPlaces(Tensor input, Tensor weight, long places)
    {
        if (_current is not { } trace) return;
        var operations = 2.0 * weight.numel() * places;
        trace.Forward += operations;
        if (!is_grad_enabled()) return;
        if (input.requires_grad) trace.Backward += operations;
        if (weight.requires_grad) trace.Backward += operations;
    }

    /// <inheritdoc/>
    public void Dispose() => _current = null;
}
