using System.Runtime.Intrinsics;

namespace JepaSharp.Kernels;

/// <summary>Which tokens a predictor is given: S sequences for each of several sets of asked patches.</summary>
/// <param name="Sets">Mt, sets of patches to ask for.</param>
/// <param name="Sequences">S = Mc B, contexts of images.</param>
/// <param name="Images">B.</param>
/// <param name="Known">Kc, tokens of a context.</param>
/// <param name="Asked">Kt, patches of a set.</param>
internal sealed record QueryLayout(int Sets, int Sequences, int Images, int Known, int Asked);

/// <summary>A predictor's tokens on the CPU: each context's, then for every patch asked for the mask token with that patch's position.</summary>
internal sealed unsafe class QueryKernel(int width, WorkerThreads threads) : IDisposable
{
    private readonly NativeBuffer _sums = new();

    /// <summary>Contexts [S, Kc, D] to tokens [Mt S, Kc + Kt, D].</summary>
    /// <param name="layout">How many of what.</param>
    /// <param name="contexts">float32.</param>
    /// <param name="mask">The mask token [D].</param>
    /// <param name="positions">Of every patch of the grid [N, D].</param>
    /// <param name="asked">Patches asked for [Mt, B, Kt].</param>
    /// <param name="tokens">Where to.</param>
    public void Forward(QueryLayout layout, float* contexts, float* mask, float* positions, long* asked, float* tokens)
    {
        var (known, all) = ((nint)layout.Known * width, (nint)(layout.Known + layout.Asked) * width);
        threads.Run(layout.Sets * layout.Sequences, (item, _) =>
        {
            var (set, sequence) = (item / layout.Sequences, item % layout.Sequences);
            var to = tokens + (item * all);
            Buffer.MemoryCopy(contexts + (sequence * known), to, known * sizeof(float), known * sizeof(float));
            to += known;
            var patches = asked + ((((nint)set * layout.Images) + (sequence % layout.Images)) * layout.Asked);
            for (var k = 0; k < layout.Asked; k++, to += width)
            {
                var position = positions + ((nint)patches[k] * width);
                for (var i = 0; i < width; i += 16) (Vector512.Load(mask + i) + Vector512.Load(position + i)).Store(to + i);
            }
        });
    }

    /// <summary>From the tokens' gradient to the contexts' (overwritten); the mask token's is added to.</summary>
    public void Backward(QueryLayout layout, float* outward, float* contexts, float* mask)
    {
        var (known, all) = ((nint)layout.Known * width, (nint)(layout.Known + layout.Asked) * width);
        var sums = _sums.TakeFloats((nint)layout.Sequences * width);
        threads.Run(layout.Sequences, (sequence, _) =>
        {
            float* to = contexts + (sequence * known), sum = sums + ((nint)sequence * width);
            new Span<float>(sum, width).Clear();
            new Span<float>(to, (int)known).Clear();
            for (var set = 0; set < layout.Sets; set++)
            {
                var from = outward + ((((nint)set * layout.Sequences) + sequence) * all);
                VectorFunctions.Add(from, to, known);
                from += known;
                for (var k = 0; k < layout.Asked; k++, from += width) VectorFunctions.Add(from, sum, width);
            }
        });

        // In the sequences' order, whoever did them.
        for (var sequence = 0; sequence < layout.Sequences; sequence++) VectorFunctions.Add(sums + ((nint)sequence * width), mask, width);
    }

    /// <inheritdoc/>
    public void Dispose() => _sums.Dispose();
}
