using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>Adds a layer's weight and bias gradients from packed tokens: W' += y'ᵀ x, b' += Σ y'.</summary>
/// <remarks>
/// Shared out by groups of outputs. Tokens are summed in a fixed order, in stretches that keep a panel in the nearest cache, whatever the number of
/// threads: the sums are the same to the bit.
/// </remarks>
/// <param name="Outward">Packed y' with a column for each output.</param>
/// <param name="Outputs">Columns of it.</param>
/// <param name="Inward">Packed x with a column for each input.</param>
/// <param name="Inputs">Columns of it.</param>
/// <param name="Words">Words of a panel: tokens, padded.</param>
/// <param name="Weight">float32 [out, in] to add to.</param>
/// <param name="Bias">float32 [out] to add to; null for none.</param>
internal readonly unsafe record struct WeightGradient<T>(
    Pointer Outward, int Outputs, Pointer Inward, int Inputs, nint Words, FloatPointer Weight, FloatPointer Bias)
    where T : struct, IElement
{
    private const int PanelsPerPiece = 3;
    private const int Stretch = 512;

    /// <summary>Pieces of work.</summary>
    public int Pieces => (Packing.Panels(Outputs) + PanelsPerPiece - 1) / PanelsPerPiece;

    /// <summary>Does one piece.</summary>
    public void Run(int piece, Scratch scratch)
    {
        var panelBytes = Words * TileProduct.PanelStep;
        var tile = scratch.TakeFloats(TileProduct.Columns * TileProduct.Columns);
        var (firstPanel, lastPanel) = (piece * PanelsPerPiece, Math.Min((piece + 1) * PanelsPerPiece, Packing.Panels(Outputs)));
        var lefts = T.Tiles.Amx is null ? null : scratch.Take(PanelsPerPiece * LeftTiles.Bytes(Stretch, halves: 2));
        for (nint word = 0; word < Words; word += Stretch)
        {
            var words = Math.Min(Stretch, Words - word);
            for (var panel = firstPanel; lefts != null && panel < lastPanel; panel++)
                LeftTiles.Write(T.Tiles.Amx!.Code, Outward.At + (panel * panelBytes) + (word * TileProduct.PanelStep), words, Left(panel), halves: 2);
            for (var column = 0; column < Inputs; column += TileProduct.Columns)
            {
                var right = Inward.At + (column / TileProduct.Columns * panelBytes) + (word * TileProduct.PanelStep);
                for (var panel = firstPanel; panel < lastPanel; panel++)
                {
                    var left = lefts == null ? Outward.At + (panel * panelBytes) + (word * TileProduct.PanelStep) : Left(panel);
                    var first = panel * TileProduct.Columns;
                    Add(left, right, words, Math.Min(TileProduct.Columns, Outputs - first), Math.Min(TileProduct.Columns, Inputs - column),
                        Weight.At + ((nint)first * Inputs) + column, tile);
                }
            }
        }

        if (Bias.At == null) return;
        for (var panel = firstPanel; panel < lastPanel; panel++)
            AddColumns(Outward.At + (panel * panelBytes), Bias.At + (panel * TileProduct.Columns), Math.Min(
                TileProduct.Columns, Outputs - (panel * TileProduct.Columns)));

        // With AMX, a left panel is brought into tiles once for all right ones.
        byte* Left(int panel) => lefts + ((panel - firstPanel) * LeftTiles.Bytes(Stretch, halves: 2));
    }

    private void Add(byte* left, byte* right, nint words, int rows, int columns, float* target, float* tile)
    {
        if (columns == TileProduct.Columns)
        {
            Products.PanelByPanel<T>(left, rows, right, words, target, Inputs, accumulate: true, T.Tiles.Amx is not null);
            return;
        }

        Products.PanelByPanel<T>(left, rows, right, words, tile, TileProduct.Columns, accumulate: false, T.Tiles.Amx is not null);
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < columns; c++) target[((nint)r * Inputs) + c] += tile[(r * TileProduct.Columns) + c];
        }
    }

    private void AddColumns(byte* panel, float* target, int columns)
    {
        var rest = stackalloc float[16];
        for (var c = 0; c < columns; c += 16)
        {
            var (low, high) = (Vector512<float>.Zero, Vector512<float>.Zero);
            for (nint w = 0; w < Words; w++)
            {
                var word = Vector512.Load((uint*)(panel + (w * TileProduct.PanelStep)) + c);
                (low, high) = Sum(word, low, high);
            }

            if (c + 16 <= columns)
            {
                (Vector512.Load(target + c) + low + high).Store(target + c);
                continue;
            }

            (low + high).Store(rest);
            for (var i = c; i < columns; i++) target[i] += rest[i - c];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Low, Vector512<float> High) Sum(Vector512<uint> word, Vector512<float> low, Vector512<float> high) =>
        T.PerWord == 1
        ? (low + word.AsSingle(), high)
        : (low + Vector512.ShiftLeft(word, 16).AsSingle(), high + (word & Vector512.Create(0xFFFF0000u)).AsSingle());
}

/// <summary>A pointer that may be a member of a record.</summary>
internal readonly unsafe struct Pointer(byte* at)
{
    public readonly byte* At = at;
}

/// <summary>A pointer to float32 that may be a member of a record.</summary>
internal readonly unsafe struct FloatPointer(float* at)
{
    public readonly float* At = at;
}
