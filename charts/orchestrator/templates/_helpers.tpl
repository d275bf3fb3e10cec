{{/* The system namespace is fixed: Orchestrator.Api's ApiGroup.SystemNamespace. */}}
{{- define "orchestrator.namespace" -}}
orchestrator-system
{{- end }}

{{/* What proxies may read of Secrets: ApiGroup.ProxyNamespace. */}}
{{- define "orchestrator.proxyNamespace" -}}
orchestrator-proxies
{{- end }}

{{- define "orchestrator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains .Chart.Name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Each takes a dict of root and component. */}}
{{- define "orchestrator.name" -}}
{{ include "orchestrator.fullname" .root }}-{{ .component }}
{{- end }}

{{- define "orchestrator.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "orchestrator.labels" -}}
{{ include "orchestrator.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "orchestrator.metadata" -}}
name: {{ include "orchestrator.name" . }}
namespace: {{ include "orchestrator.namespace" . }}
labels:
  {{- include "orchestrator.labels" . | nindent 2 }}
{{- end }}

{{- define "orchestrator.image" -}}
{{- with .Values.image -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end }}
{{- end }}

{{/* What a pod may do is nothing, but run. */}}
{{- define "orchestrator.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "orchestrator.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

{{- define "orchestrator.affinity" -}}
{{- $values := index .root.Values .component -}}
{{- if $values.affinity }}
{{- toYaml $values.affinity }}
{{- else -}}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "orchestrator.selectorLabels" . | nindent 12 }}
{{- end }}
{{- end }}

{{/* Where pods go, and with what. */}}
{{- define "orchestrator.scheduling" -}}
{{- $values := index .root.Values .component -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
affinity:
  {{- include "orchestrator.affinity" . | nindent 2 }}
{{- end }}

{{/* policy/v1 came with Kubernetes 1.21, v1beta1 went with 1.25. */}}
{{- define "orchestrator.disruptionBudget" -}}
apiVersion: {{ ternary "policy/v1" "policy/v1beta1" (semverCompare ">=1.21-0" .root.Capabilities.KubeVersion.Version) }}
kind: PodDisruptionBudget
metadata:
  {{- include "orchestrator.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ (index .root.Values .component).podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "orchestrator.selectorLabels" . | nindent 6 }}
{{- end }}

{{- define "orchestrator.metricsService" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "orchestrator.name" . }}-metrics
  namespace: {{ include "orchestrator.namespace" . }}
  labels:
    {{- include "orchestrator.labels" . | nindent 4 }}
  {{- with .root.Values.metrics.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  clusterIP: None
  ports:
    - name: metrics
      port: {{ .port }}
      targetPort: metrics
      protocol: TCP
  selector:
    {{- include "orchestrator.selectorLabels" . | nindent 4 }}
{{- end }}
