using System.Runtime.Intrinsics;
using JepaSharp.Kernels;
using JepaSharp.Kernels.MachineCode;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>Gradients of weights by AMX products, emulated: left panels brought into tiles once for all right ones.</summary>
public sealed unsafe class AmxWeightGradientTests
{
    /// <summary>Two stretches of tokens, the last of which fills no step; a last panel of 16 outputs, a last of 16 inputs.</summary>
    [Fact]
    public void Run_OverTwoStretchesAndPartsOfPanels_AddsTheSums()
    {
        const int Outputs = 112, Inputs = 48, Words = 530;
        using var memory = new CheckedMemory();
        using var scratch = new Scratch();
        var outward = (ushort*)memory.Take("outward", (int)Packing.Bytes(Outputs, Words), isWritable: false);
        var inward = (ushort*)memory.Take("inward", (int)Packing.Bytes(Inputs, Words), isWritable: false);
        var weight = (float*)memory.Take("weight", Outputs * Inputs * sizeof(float), isWritable: true);
        var bias = (float*)memory.Take("bias", Outputs * sizeof(float), isWritable: true);
        var random = new RandomStream(3, RandomPurpose.Evaluation);
        Fill(outward, Outputs, Words, ref random);
        Fill(inward, Inputs, Words, ref random);
        new Span<float>(weight, Outputs * Inputs).Fill(0.5f);
        new Span<float>(bias, Outputs).Fill(0.5f);
        // Working memory of products that fill no panel: where the thread's begins is known once something was taken.
        memory.Lend("scratch", scratch.Take(64), 1 << 20, isWritable: true);

        Emulated.Products = new TileProducts(new AmxTileProducts(new EmulatedCode(memory)));
        var gradient = new WeightGradient<Emulated>(
            new Pointer((byte*)outward), Outputs, new Pointer((byte*)inward), Inputs, Words, new FloatPointer(weight), new FloatPointer(bias));
        for (var piece = 0; piece < gradient.Pieces; piece++)
        {
            scratch.Clear();
            gradient.Run(piece, scratch);
        }

        for (var o = 0; o < Outputs; o++)
        {
            var sum = 0.5f;
            for (var token = 0; token < 2 * Words; token++) sum += Number(outward, o, token, Words);
            Assert.Equal(sum, bias[o]);
            for (var i = 0; i < Inputs; i++)
            {
                sum = 0.5f;
                for (var token = 0; token < 2 * Words; token++) sum += Number(outward, o, token, Words) * Number(inward, i, token, Words);
                Assert.Equal(sum, weight[(o * Inputs) + i]);
            }
        }
    }

    private static int Place(int column, int token, int words) =>
        (column / 32 * words * 64) + (token / 2 * 64) + (column % 32 * 2) + (token % 2);

    private static float Number(ushort* packed, int column, int token, int words) => BrainNumbers.Low(packed[Place(column, token, words)]);

    private static void Fill(ushort* packed, int columns, int words, ref RandomStream random)
    {
        for (var column = 0; column < (columns + 31) / 32 * 32; column++)
        {
            for (var token = 0; token < 2 * words; token++)
            {
                var number = column < columns ? (random.NextInt(17) - 8) / 8f : 0;
                packed[Place(column, token, words)] = (ushort)(BitConverter.SingleToUInt32Bits(number) >> 16);
            }
        }
    }

    /// <summary>bfloat16 with products in the emulator.</summary>
    private readonly struct Emulated : IElement
    {
        public static TileProducts? Products { get; set; }

        public static int Size => Brain16.Size;

        public static int PerWord => Brain16.PerWord;

        public static TileProducts Tiles => Products!;

        public static Vector512<float> Load(byte* source) => Brain16.Load(source);

        public static void Store(byte* target, Vector512<float> values) => Brain16.Store(target, values);

        public static void Round(float* from, nint count, byte* to) => Brain16.Round(from, count, to);

        public static void Norm(float* row, int width, float mean, float inverse, float* scale, float* shift, byte* target) =>
            Brain16.Norm(row, width, mean, inverse, scale, shift, target);

        public static Vector512<uint> Words(Vector512<float> row, Vector512<float> next) => Brain16.Words(row, next);

        public static Vector512<uint> Words(byte* row, byte* next) => Brain16.Words(row, next);
    }
}
