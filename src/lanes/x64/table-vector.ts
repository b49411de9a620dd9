// Rows of table.ts: vectors. What VEX and EVEX both have is one row; where EVEX gave an instruction a name of its own
// (vpxord, vrndscaleps, vmovdqu32) it is a row of its own. vmovd, vmovq and scalars are 128 bits; conversions from and
// to a general register take its bits.

export const tableVector = `
vzeroupper   |         | np.0f.0 77   | 0           | vex
vmovups      | V,W     | np.0f.0 10   | 128 256 512 | vex evex
vmovups      | M,V     | np.0f.0 11   | 128 256 512 | vex evex
vmovntps     | M,V     | np.0f.0 2b   | 128 256 512 | vex evex nomask
vmovdqu      | V,W     | f3.0f.0 6f   | 128 256     | vex
vmovdqu      | M,V     | f3.0f.0 7f   | 128 256     | vex
vmovdqu8     | V,W     | f2.0f.0 6f   | 128 256 512 | evex
vmovdqu8     | M,V     | f2.0f.0 7f   | 128 256 512 | evex
vmovdqu16    | V,W     | f2.0f.1 6f   | 128 256 512 | evex
vmovdqu16    | M,V     | f2.0f.1 7f   | 128 256 512 | evex
vmovdqu32    | V,W     | f3.0f.0 6f   | 128 256 512 | evex
vmovdqu32    | M,V     | f3.0f.0 7f   | 128 256 512 | evex
vmovdqu64    | V,W     | f3.0f.1 6f   | 128 256 512 | evex
vmovdqu64    | M,V     | f3.0f.1 7f   | 128 256 512 | evex
vmovd        | V,E4    | 66.0f.0 6e   | 128         | vex evex nomask
vmovd        | E4,V    | 66.0f.0 7e   | 128         | vex evex nomask
vmovq        | V,E8    | 66.0f.1 6e   | 128         | vex evex nomask
vmovq        | E8,V    | 66.0f.1 7e   | 128         | vex evex nomask
vmovss       | V,M4    | f3.0f.0 10   | 128         | vex evex
vmovss       | M4,V    | f3.0f.0 11   | 128         | vex evex
vmovss       | V,H,U   | f3.0f.0 10   | 128         | vex evex
vmovshdup    | V,W     | f3.0f.0 16   | 128 256 512 | vex evex
vmovhlps     | V,H,U   | np.0f.0 12   | 128         | vex evex nomask
vbroadcastss | V,W4    | 66.0f38.0 18 | 128 256 512 | vex evex
vpbroadcastd | V,W4    | 66.0f38.0 58 | 128 256 512 | vex evex
vpbroadcastd | V,R4    | 66.0f38.0 7c | 128 256 512 | evex

vaddps       | V,H,W   | np.0f.0 58   | 128 256 512 | vex evex b
vmulps       | V,H,W   | np.0f.0 59   | 128 256 512 | vex evex b
vsubps       | V,H,W   | np.0f.0 5c   | 128 256 512 | vex evex b
vminps       | V,H,W   | np.0f.0 5d   | 128 256 512 | vex evex b
vdivps       | V,H,W   | np.0f.0 5e   | 128 256 512 | vex evex b
vmaxps       | V,H,W   | np.0f.0 5f   | 128 256 512 | vex evex b
vsqrtps      | V,W     | np.0f.0 51   | 128 256 512 | vex evex b
vaddss       | V,H,W4  | f3.0f.0 58   | 128         | vex evex
vmulss       | V,H,W4  | f3.0f.0 59   | 128         | vex evex
vsubss       | V,H,W4  | f3.0f.0 5c   | 128         | vex evex
vminss       | V,H,W4  | f3.0f.0 5d   | 128         | vex evex
vdivss       | V,H,W4  | f3.0f.0 5e   | 128         | vex evex
vmaxss       | V,H,W4  | f3.0f.0 5f   | 128         | vex evex
vsqrtss      | V,H,W4  | f3.0f.0 51   | 128         | vex evex
vfmadd132ps  | V,H,W   | 66.0f38.0 98 | 128 256 512 | vex evex b
vfmadd213ps  | V,H,W   | 66.0f38.0 a8 | 128 256 512 | vex evex b
vfmadd231ps  | V,H,W   | 66.0f38.0 b8 | 128 256 512 | vex evex b
vfmsub213ps  | V,H,W   | 66.0f38.0 aa | 128 256 512 | vex evex b
vfnmadd132ps | V,H,W   | 66.0f38.0 9c | 128 256 512 | vex evex b
vfnmadd213ps | V,H,W   | 66.0f38.0 ac | 128 256 512 | vex evex b
vfnmadd231ps | V,H,W   | 66.0f38.0 bc | 128 256 512 | vex evex b
vfmadd132ss  | V,H,W4  | 66.0f38.0 99 | 128         | vex evex
vfmadd213ss  | V,H,W4  | 66.0f38.0 a9 | 128         | vex evex
vfmadd231ss  | V,H,W4  | 66.0f38.0 b9 | 128         | vex evex
vroundps     | V,W,I1  | 66.0f3a.0 08 | 128 256     | vex
vrndscaleps  | V,W,I1  | 66.0f3a.0 08 | 128 256 512 | evex b
vcmpps       | V,H,W,I1 | np.0f.0 c2  | 128 256     | vex
vcmpps       | K,H,W,I1 | np.0f.0 c2  | 128 256 512 | evex b
vcomiss      | V,W4    | np.0f.0 2f   | 128         | vex evex nomask
vucomiss     | V,W4    | np.0f.0 2e   | 128         | vex evex nomask
vcvtsi2ss    | V,H,E   | f3.0f.b 2a   | 32 64       | vex evex nomask
vcvttss2si   | G,W4    | f3.0f.b 2c   | 32 64       | vex evex nomask
vcvtdq2ps    | V,W     | np.0f.0 5b   | 128 256 512 | vex evex b
vcvttps2dq   | V,W     | f3.0f.0 5b   | 128 256 512 | vex evex b
vcvtph2ps    | V,W/2   | 66.0f38.0 13 | 128 256 512 | vex evex
vcvtps2ph    | W/2,V,I1 | 66.0f3a.0 1d | 128 256 512 | vex evex
vcvtne2ps2bf16 | V,H,W | f2.0f38.0 72 | 128 256 512 | evex b
vcvtneps2bf16 | V/2,W  | f3.0f38.0 72 | 128 256 512 | evex b

vandps       | V,H,W   | np.0f.0 54   | 128 256 512 | vex evex b
vxorps       | V,H,W   | np.0f.0 57   | 128 256 512 | vex evex b
vpand        | V,H,W   | 66.0f.0 db   | 128 256     | vex
vpandn       | V,H,W   | 66.0f.0 df   | 128 256     | vex
vpor         | V,H,W   | 66.0f.0 eb   | 128 256     | vex
vpxor        | V,H,W   | 66.0f.0 ef   | 128 256     | vex
vpandd       | V,H,W   | 66.0f.0 db   | 128 256 512 | evex b
vpandnd      | V,H,W   | 66.0f.0 df   | 128 256 512 | evex b
vpord        | V,H,W   | 66.0f.0 eb   | 128 256 512 | evex b
vpxord       | V,H,W   | 66.0f.0 ef   | 128 256 512 | evex b
vpternlogd   | V,H,W,I1 | 66.0f3a.0 25 | 128 256 512 | evex b
vblendvps    | V,H,W,L | 66.0f3a.0 4a | 128 256     | vex
vpblendvb    | V,H,W,L | 66.0f3a.0 4c | 128 256     | vex
vblendmps    | V,H,W   | 66.0f38.0 65 | 128 256 512 | evex b
vpblendmd    | V,H,W   | 66.0f38.0 64 | 128 256 512 | evex b

vpaddd       | V,H,W   | 66.0f.0 fe   | 128 256 512 | vex evex b
vpaddw       | V,H,W   | 66.0f.0 fd   | 128 256 512 | vex evex
vpsubd       | V,H,W   | 66.0f.0 fa   | 128 256 512 | vex evex b
vpmulld      | V,H,W   | 66.0f38.0 40 | 128 256 512 | vex evex b
vpmaddwd     | V,H,W   | 66.0f.0 f5   | 128 256 512 | vex evex
vpmaddubsw   | V,H,W   | 66.0f38.0 04 | 128 256 512 | vex evex
vpdpbusd     | V,H,W   | 66.0f38.0 50 | 128 256 512 | vex evex b
vpdpwssd     | V,H,W   | 66.0f38.0 52 | 128 256 512 | vex evex b
vpslld       | H,U,I1  | 66.0f.0 72/6 | 128 256     | vex
vpsrld       | H,U,I1  | 66.0f.0 72/2 | 128 256     | vex
vpsrad       | H,U,I1  | 66.0f.0 72/4 | 128 256     | vex
vpslld       | H,W,I1  | 66.0f.0 72/6 | 128 256 512 | evex b
vpsrld       | H,W,I1  | 66.0f.0 72/2 | 128 256 512 | evex b
vpsrad       | H,W,I1  | 66.0f.0 72/4 | 128 256 512 | evex b
vpsllw       | H,U,I1  | 66.0f.0 71/6 | 128 256     | vex
vpsrlw       | H,U,I1  | 66.0f.0 71/2 | 128 256     | vex
vpsraw       | H,U,I1  | 66.0f.0 71/4 | 128 256     | vex
vpsllw       | H,W,I1  | 66.0f.0 71/6 | 128 256 512 | evex
vpsrlw       | H,W,I1  | 66.0f.0 71/2 | 128 256 512 | evex
vpsraw       | H,W,I1  | 66.0f.0 71/4 | 128 256 512 | evex
vpsrldq      | H,U,I1  | 66.0f.0 73/3 | 128 256     | vex
vpsrldq      | H,W,I1  | 66.0f.0 73/3 | 128 256 512 | evex nomask
vpcmpeqd     | V,H,W   | 66.0f.0 76   | 128 256     | vex
vpcmpgtd     | V,H,W   | 66.0f.0 66   | 128 256     | vex
vpcmpeqd     | K,H,W   | 66.0f.0 76   | 128 256 512 | evex b
vpcmpgtd     | K,H,W   | 66.0f.0 66   | 128 256 512 | evex b
vpmovm2d     | V,KU    | f3.0f38.0 38 | 128 256 512 | evex nomask

vpmovsxbd    | V,W/4   | 66.0f38.0 21 | 128 256 512 | vex evex
vpmovzxbd    | V,W/4   | 66.0f38.0 31 | 128 256 512 | vex evex
vpmovsxwd    | V,W/2   | 66.0f38.0 23 | 128 256 512 | vex evex
vpmovzxwd    | V,W/2   | 66.0f38.0 33 | 128 256 512 | vex evex
vpmovdb      | W/4,V   | f3.0f38.0 31 | 128 256 512 | evex
vpmovdw      | W/2,V   | f3.0f38.0 33 | 128 256 512 | evex
vpackuswb    | V,H,W   | 66.0f.0 67   | 128 256 512 | vex evex
vpackusdw    | V,H,W   | 66.0f38.0 2b | 128 256 512 | vex evex b
vpshufb      | V,H,W   | 66.0f38.0 00 | 128 256 512 | vex evex
vpshufd      | V,W,I1  | 66.0f.0 70   | 128 256 512 | vex evex b
vpermilps    | V,W,I1  | 66.0f3a.0 04 | 128 256 512 | vex evex b
vshufps      | V,H,W,I1 | np.0f.0 c6  | 128 256 512 | vex evex b
vpermq       | V,W,I1  | 66.0f3a.1 00 | 256 512     | vex evex b64
vpermd       | V,H,W   | 66.0f38.0 36 | 256 512     | vex evex b
vpermw       | V,H,W   | 66.0f38.1 8d | 128 256 512 | evex
vpermt2w     | V,H,W   | 66.0f38.1 7d | 128 256 512 | evex
valignd      | V,H,W,I1 | 66.0f3a.0 03 | 128 256 512 | evex b
vpalignr     | V,H,W,I1 | 66.0f3a.0 0f | 128 256 512 | vex evex
vextracti128 | W16,V,I1 | 66.0f3a.0 39 | 256        | vex
vextractf32x4 | W16,V,I1 | 66.0f3a.0 19 | 256 512   | evex
vextracti32x4 | W16,V,I1 | 66.0f3a.0 39 | 256 512   | evex
vextracti64x4 | W32,V,I1 | 66.0f3a.1 3b | 512       | evex
vpextrd      | E4,V,I1 | 66.0f3a.0 16 | 128         | vex evex nomask
`;
