{{/* Labels of every object of this chart; the argument is (list root component). */}}
{{- define "cloudfreedom.labels" -}}
{{- $root := index . 0 -}}
{{ include "cloudfreedom.selector" . }}
app.kubernetes.io/part-of: cloudfreedom
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{/* Labels by which Services, Deployments and policies select pods; they never change. */}}
{{- define "cloudfreedom.selector" -}}
app.kubernetes.io/name: cloudfreedom
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* An image's full reference; the argument is (list root image). A digest wins over a tag. */}}
{{- define "cloudfreedom.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- with $root.Values.images.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default $root.Chart.AppVersion }}{{ end -}}
{{- end }}

{{- define "cloudfreedom.baseDomain" -}}
{{ required "baseDomain is missing: set it to the domain below which chats and API shall live, such as ai.example.org" .Values.baseDomain }}
{{- end }}

{{/* Where people register, pay and manage. */}}
{{- define "cloudfreedom.portalUrl" -}}
{{ .Values.controlPlane.portal.url | default (printf "https://portal.%s" (include "cloudfreedom.baseDomain" .)) | trimSuffix "/" }}
{{- end }}

{{- define "cloudfreedom.keysSecret" -}}
{{ .Values.keys.existingSecret | default "control-plane-keys" }}
{{- end }}

{{/* Where pods of the cluster reach the control plane. */}}
{{- define "cloudfreedom.controlPlaneUrl" -}}
http://control-plane.{{ .Release.Namespace }}.svc:8080
{{- end }}

{{/* What every pod of ours gives up. */}}
{{- define "cloudfreedom.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "cloudfreedom.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Where pods may run; replicas keep apart where they can. The argument is (list root component). */}}
{{- define "cloudfreedom.scheduling" -}}
{{- $root := index . 0 -}}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "cloudfreedom.selector" . | nindent 14 }}
{{- with $root.Values.scheduling }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}
{{- end }}
